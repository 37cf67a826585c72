// Waiting out what is `unavailable`: capped exponential back-off with full jitter, ended by an abort signal.

import { setTimeout as delay } from 'node:timers/promises';
import { TrueupError } from '../domain/contracts/errors.ts';

export type RetryOptions = {
  readonly signal?: AbortSignal;
  readonly firstDelayMs?: number;
  readonly maxDelayMs?: number;
  readonly onRetry?: (error: unknown, attempt: number) => void;
};

/** Repeats `work` while it fails as `unavailable`; every other failure, and an abort, is thrown at once. */
export async function retryUnavailable<T>(work: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TrueupError) || !error.retryable || options.signal?.aborted === true) throw error;
      options.onRetry?.(error, attempt);
      const cap = Math.min(options.maxDelayMs ?? 5_000, (options.firstDelayMs ?? 100) * 2 ** (attempt - 1));
      await delay(cap / 2 + Math.random() * (cap / 2), undefined, options.signal ? { signal: options.signal } : {});
    }
  }
}
