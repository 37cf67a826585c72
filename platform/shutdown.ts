// Graceful stop: SIGTERM and SIGINT finish the unit of work at hand, then close clients in reverse order of opening.
// A second signal, or a stop that takes too long, ends the process at once; every stage is safe under that.

import type { Log } from './log.ts';

export type Shutdown = {
  /** Aborted when the process has been asked to stop. */
  readonly signal: AbortSignal;
  /** Registers a closer; the last registered closes first. */
  onStop(name: string, close: () => Promise<unknown> | void): void;
};

const STOP_TIMEOUT_MS = 20_000;

export function installShutdown(log: Log): Shutdown {
  const controller = new AbortController();
  const closers: { name: string; close: () => Promise<unknown> | void }[] = [];

  const stop = async (cause: string, exitCode: number) => {
    if (controller.signal.aborted) process.exit(exitCode === 0 ? 130 : exitCode);
    controller.abort();
    setTimeout(() => process.exit(exitCode === 0 ? 1 : exitCode), STOP_TIMEOUT_MS).unref();
    log.info({ cause }, 'stopping');
    for (const { name, close } of closers.toReversed()) {
      try {
        await close();
      } catch (error) {
        log.warn({ name, error: String(error) }, 'a client did not close cleanly');
      }
    }
    process.exit(exitCode);
  };

  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGINT', () => void stop('SIGINT', 0));
  process.on('uncaughtException', (error) => {
    log.fatal({ error: String(error), stack: error.stack }, 'uncaught error');
    void stop('uncaught error', 1);
  });
  process.on('unhandledRejection', (error) => {
    log.fatal({ error: String(error), stack: error instanceof Error ? error.stack : undefined }, 'unhandled rejection');
    void stop('unhandled rejection', 1);
  });
  return { signal: controller.signal, onStop: (name, close) => closers.push({ name, close }) };
}
