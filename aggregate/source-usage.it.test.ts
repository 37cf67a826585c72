import { afterEach, beforeEach, expect, test } from 'vitest';
import { HOUR_MS, parsePeriod } from '../domain/period.ts';
import { createUsageBench, type UsageBench } from './testing/usage-bench.ts';
import { createUsage } from './usage.ts';

const OCTOBER = parsePeriod('2026-10');
const AT = '2026-10-03T10:00:00Z';
const WRONG = '/cell/2';
const AFTER_MS = OCTOBER.endAtMs + 48 * HOUR_MS;
const whole = { source: WRONG, window: OCTOBER, account: null };
let bench: UsageBench;

beforeEach(async () => {
  bench = await createUsageBench('source_usage', 1);
  await bench.store([
    { id: 'a', at: AT, offset: 0, quantity: '5', source: WRONG },
    { id: 'a', at: AT, offset: 1, quantity: '5', source: WRONG },
    { id: 'b', at: AT, offset: 2, quantity: '7' },
    { id: 'c', at: '2026-10-03T11:00:00Z', offset: 3, quantity: '2', source: WRONG, namespace: 'shop.acme' },
    { id: 'd', at: '2026-10-31T23:59:59Z', offset: 4, quantity: '1', source: WRONG, namespace: 'pay.busy' },
    { id: 'e', at: AT, offset: 5, quantity: '100', source: WRONG },
    { id: 'v', at: AT, offset: 6, type: 'void', voids: 'e', source: WRONG },
    { id: 'c', at: '2026-10-03T11:00:00Z', offset: 7, quantity: '9', source: WRONG, namespace: 'shop.acme' },
  ]);
  await bench.rollUp();
});
afterEach(async () => bench.close());

async function close(): Promise<void> {
  await bench.usage.takeBarrier(OCTOBER, AFTER_MS);
  await bench.usage.closePeriod(OCTOBER, AFTER_MS);
}

test('what a source sent is what the closed total holds of it: copies, losers, voids, late and other sources left out', async () => {
  const usage = createUsage(bench.deps);
  await expect(usage.fetchSourceHours(OCTOBER, whole)).rejects.toMatchObject({ code: 'PERIOD_STATE' });
  await close();
  await bench.store([{ id: 'late', at: AT, offset: 8, quantity: '50', source: WRONG }]);
  await bench.rollUp();
  const hour = (text: string, account: string, quantity: bigint) => {
    return { account, meter: 'actions', hourAtMs: Date.parse(text), quantity };
  };
  const [ten, eleven] = [hour(AT, 'acme', 50n), hour('2026-10-03T11:00:00Z', 'acme', 20n)];
  const busy = hour('2026-10-31T23:00:00Z', 'busy', 10n);
  expect(await usage.fetchSourceHours(OCTOBER, whole)).toEqual([ten, eleven, busy]);
  expect(await usage.fetchSourceHours(OCTOBER, { ...whole, account: 'busy' })).toEqual([busy]);
  const until = { startAtMs: OCTOBER.startAtMs, endAtMs: Date.parse('2026-10-03T11:00:00Z') };
  expect(await usage.fetchSourceHours(OCTOBER, { ...whole, window: until })).toEqual([ten]);
  expect(await usage.fetchSourceHours(OCTOBER, { ...whole, source: '/nobody' })).toEqual([]);
});

test('a window outside the period is refused, since every period is corrected by itself', async () => {
  await close();
  const usage = createUsage(bench.deps);
  for (const [startAtMs, endAtMs] of [
    [OCTOBER.startAtMs - 1, OCTOBER.endAtMs],
    [OCTOBER.startAtMs, OCTOBER.endAtMs + 1],
    [OCTOBER.endAtMs, OCTOBER.startAtMs],
  ] as const) {
    const window = { startAtMs, endAtMs };
    await expect(usage.fetchSourceHours(OCTOBER, { ...whole, window })).rejects.toThrow('is no window of 2026-10');
  }
});
