// One read within a deadline: what it found, or why it found nothing.

import { setTimeout as delay } from 'node:timers/promises';
import type { Part } from './standing.ts';

export async function readWithin<Value>(withinMs: number, read: () => Promise<Value>): Promise<Part<Value>> {
  const late = delay(withinMs, undefined, { ref: false }).then((): never => {
    throw new Error(`no answer within ${withinMs} ms`);
  });
  late.catch(() => undefined);
  try {
    return { ok: true, value: await Promise.race([read(), late]) };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}
