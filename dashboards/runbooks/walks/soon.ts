// Waiting for what comes true soon. A look that fails is a look that saw nothing.

import { setTimeout as pause } from 'node:timers/promises';

const EVERY_MS = 300;

/** The first answer, or undefined when none came in time. */
export async function seenWithin<T>(withinMs: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const seen = await look().catch(() => undefined);
    if (seen !== undefined || performance.now() > deadlineMs) return seen;
    await pause(EVERY_MS);
  }
}

/** The same where going on without it makes no sense. */
export async function untilSeen<T>(what: string, withinMs: number, look: () => Promise<T | undefined>): Promise<T> {
  const seen = await seenWithin(withinMs, look);
  if (seen === undefined) throw new Error(`${what}: not within ${withinMs / 1_000} s`);
  return seen;
}
