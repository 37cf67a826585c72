import { afterEach, beforeEach, expect, test } from 'vitest';
import { parsePeriod } from '../domain/period.ts';
import { createUsageReads, type UsageReads } from './reads.ts';
import { createUsageBench, type UsageBench } from './testing/usage-bench.ts';

const OCTOBER = parsePeriod('2026-10');
let bench: UsageBench;
let reads: UsageReads;

beforeEach(async () => {
  bench = await createUsageBench('reads', 1);
  reads = createUsageReads(bench.deps);
  await bench.store([
    { id: 'a', at: '2026-10-03T10:00:00Z', offset: 0, quantity: '5' },
    { id: 'b', at: '2026-10-03T11:59:59Z', offset: 1, quantity: '2' },
    { id: 'c', at: '2026-10-03T10:30:00Z', offset: 2, quantity: '1', namespace: 'shop.acme' },
    { id: 'd', at: '2026-10-31T23:59:59Z', offset: 3, quantity: '7', namespace: 'pay.busy' },
    { id: 'e', at: '2026-11-01T00:00:00Z', offset: 4, quantity: '9', namespace: 'pay.busy' },
  ]);
  await bench.rollUp();
  // Rolled up a second time: the first run's rows are still there and must not count.
  await bench.store([
    { id: 'a', at: '2026-10-03T10:00:00Z', offset: 5, quantity: '5' },
    { id: 'f', at: '2026-10-03T10:00:00Z', offset: 6, quantity: '1' },
  ]);
  await bench.rollUp();
});
afterEach(async () => bench.close());

test('an account’s days are summed over its namespaces, and days without usage are left out', async () => {
  expect(await reads.fetchAccountDays('acme', OCTOBER)).toEqual([
    { meter: 'actions', day: '2026-10-03', quantity: 90n },
  ]);
});

test('a namespace’s hours are its own, within the half-open window', async () => {
  const at = (text: string) => Date.parse(text);
  expect(await reads.fetchNamespaceHours('pay.acme', OCTOBER)).toEqual([
    { meter: 'actions', hourAtMs: at('2026-10-03T10:00:00Z'), quantity: 60n },
    { meter: 'actions', hourAtMs: at('2026-10-03T11:00:00Z'), quantity: 20n },
  ]);
  expect(await reads.fetchNamespaceHours('pay.busy', OCTOBER)).toEqual([
    { meter: 'actions', hourAtMs: at('2026-10-31T23:00:00Z'), quantity: 70n },
  ]);
});

test('top accounts come largest first and no more than asked for; period totals hold everybody', async () => {
  const [acme, busy] = [
    { account: 'acme', meter: 'actions', quantity: 90n },
    { account: 'busy', meter: 'actions', quantity: 70n },
  ];
  expect(await reads.fetchTopAccounts('actions', OCTOBER, 1)).toEqual([acme]);
  expect(await reads.fetchTopAccounts('actions', OCTOBER, 5)).toEqual([acme, busy]);
  expect(await reads.fetchTopAccounts('active_storage', OCTOBER, 5)).toEqual([]);
  expect(await reads.fetchPeriodTotals(OCTOBER)).toEqual([acme, busy]);
});
