// A server's clock, with our own before and after the question, so that the way of the answer isn't taken for skew.

import type { ClockReading } from '../judge/clock.ts';

export async function readClock(fetchMs: () => Promise<number>): Promise<ClockReading> {
  // The first question may have to connect.
  await fetchMs();
  const beforeMs = Date.now();
  const serverMs = await fetchMs();
  return { beforeMs, serverMs, afterMs: Date.now() };
}
