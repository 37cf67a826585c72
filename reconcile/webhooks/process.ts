// Works off what rang: events become rings, rings become reads, and each read is passed on. Any number may run beside each
// other. Killed anywhere, what was taken is due again after its lease; every step may run twice.

import { TrueupError } from '../../domain/contracts/errors.ts';
import type { Log } from '../../platform/log.ts';
import { deferEvent, failEvent, settleEvent, takeEvents, type TakenEvent } from './events.ts';
import type { MeterErrors, OnChange, WebhookSource } from './port.ts';
import { deferRefetch, settleRefetch, takeRefetches, type TakenRefetch } from './refetches.ts';
import type { WebhookDb } from './tables.ts';

export type ProcessorParts = {
  readonly db: WebhookDb;
  readonly source: WebhookSource;
  readonly onChange: OnChange;
  readonly log: Log;
  /** How long what is taken stays taken; longer than a read may last. */
  readonly leaseMs?: number;
};

export type Processor = {
  /** Works off everything that is due; returns how much that was. */
  drain(): Promise<number>;
  /** Says that something may be due now. */
  wake(): void;
  /** Drains when woken, and once a second for what others left behind, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
};

const BATCH = 50;
const LEASE_MS = 60_000;
const IDLE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;

/** Doubling from a second; attempts are counted from 1. */
function pauseAfter(attempts: number): number {
  return Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** Math.min(attempts - 1, 20));
}

export function createProcessor(parts: ProcessorParts): Processor {
  const leaseMs = parts.leaseMs ?? LEASE_MS;
  let woken: (() => void) | undefined;
  const drain = async () => {
    for (let handled = 0; ;) {
      const events = await takeEvents(parts.db, BATCH, leaseMs);
      for (const event of events) await handleEvent(event, parts);
      const refetches = await takeRefetches(parts.db, BATCH, leaseMs);
      for (const refetch of refetches) await handleRefetch(refetch, parts);
      if (events.length + refetches.length === 0) return handled;
      handled += events.length + refetches.length;
    }
  };
  const rest = async (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        woken = undefined;
        resolve();
      };
      const timer = setTimeout(done, IDLE_MS);
      signal.addEventListener('abort', done);
      woken = done;
    });
  return {
    drain,
    wake: () => woken?.(),
    run: async (signal) => {
      while (!signal.aborted) {
        try {
          await drain();
        } catch (error) {
          parts.log.warn({ error: String(error) }, 'webhook events wait for the database');
        }
        if (!signal.aborted) await rest(signal);
      }
    },
  };
}

async function handleEvent(event: TakenEvent, { db, source, log }: ProcessorParts): Promise<void> {
  const { eventId, type, thin } = event.doorbell;
  let findings: readonly MeterErrors[] = [];
  try {
    if (thin) findings = await source.fetchMeterErrors(eventId);
  } catch (error) {
    const failure = codeOf(error);
    log.warn({ eventId, type, error: String(error) }, 'an event could not be read');
    if (isWorthAnotherTry(error)) await deferEvent(db, eventId, { pauseMs: pauseAfter(event.attempts), failure });
    else await failEvent(db, eventId, failure);
    return;
  }
  for (const found of findings) log.warn({ eventId, ...found, count: found.count.toString() }, 'usage was refused');
  await settleEvent(db, event, findings);
}

async function handleRefetch(refetch: TakenRefetch, { db, source, onChange, log }: ProcessorParts): Promise<void> {
  const { target, attempts } = refetch;
  try {
    const state = await source.fetchState(target);
    await onChange(state);
    await settleRefetch(db, refetch, state);
  } catch (error) {
    // Never given up: until it is read, nobody knows what rang. The pause keeps it from crowding out others.
    log.warn({ ...target, attempts, error: String(error) }, 'an object could not be read again');
    await deferRefetch(db, target, { pauseMs: pauseAfter(attempts), failure: codeOf(error) });
  }
}

/** A wrong key is mended by an operator; until then the event must not be lost. */
function isWorthAnotherTry(error: unknown): boolean {
  return error instanceof TrueupError && (error.retryable || error.code === 'STRIPE_AUTHENTICATION');
}

function codeOf(error: unknown): string {
  return error instanceof TrueupError ? error.code : 'INTERNAL';
}
