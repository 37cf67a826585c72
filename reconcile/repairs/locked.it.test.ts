import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Actor } from '../../domain/contracts/permissions.ts';
import { createClock, type BusinessClockTables } from '../../platform/clock.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { createStripeBilling } from '../billing/stripe.ts';
import { carryCasesForward } from '../cases/carry-forward.ts';
import { approveSignOff, prepareSignOff } from '../sign-off/book.ts';
import { createBooks, type Books } from '../testing/books.ts';
import { applyRepair, type RepairDeps } from './apply.ts';
import { approveRepair, computePlanHash, insertRepair } from './book.ts';
import { planCase } from './plan-case.ts';
import type { RepairPlan } from './plan.ts';
import { fetchRepair } from './stored.ts';

let books: Books;
let pat: Actor;
let rae: Actor;

beforeEach(async () => {
  books = await createBooks();
  pat = await books.person('pat', 'preparer', 'operator');
  rae = await books.person('rae', 'reviewer', 'operator');
});
afterEach(async () => books.end());

const NOTHING_CHARGED = { invoices: [], nextInvoiceMinor: '0', chargedMinor: '0' };

function writeOff(account: string): RepairPlan {
  return {
    kind: 'write_off',
    caseId: `2026-10.${account}.USAGE_LATE.actions.usd`,
    code: 'USAGE_LATE',
    period: '2026-10',
    account,
    meter: 'actions',
    customer: 'cus_1',
    subscription: 'sub_1',
    currency: 'usd',
    reason: 'not worth an invoice',
    breakMinor: '500',
    amountMinor: '500',
    steps: [],
    before: NOTHING_CHARGED,
    after: NOTHING_CHARGED,
  };
}

test('no repair of a locked period is planned, approved or applied', async () => {
  const { db, nowMs: atMs } = books;
  const clockDb = createPostgres<BusinessClockTables>(books.postgresUrl);
  await carryCasesForward(db, await books.run(['acme', 'beta', 'gamma'].map((account) => ({ account }))), atMs);
  const insert = async (account: string) => insertRepair(db, pat, { plan: writeOff(account), bulkId: null, atMs });
  const approve = async (account: string, repairId: string) =>
    approveRepair(db, rae, { repairId, planHash: computePlanHash(writeOff(account)), atMs });
  const [ready, waiting] = [await insert('acme'), await insert('beta')];
  await approve('acme', ready);
  await prepareSignOff(db, pat, { period: '2026-10', atMs, despite: 'small amounts' });
  await approveSignOff(db, rae, { period: '2026-10', atMs });

  const locked = { code: 'PERIOD_LOCKED' };
  const deps: RepairDeps = {
    db,
    billing: createStripeBilling({ key: 'sk_test_nobody', url: 'http://127.0.0.1:9' }),
    clock: createClock('simulated', clockDb),
    waitMs: 0,
  };
  const choice = { kind: 'write_off', reason: 'small' } as const;
  const { caseId } = writeOff('gamma');
  await expect(planCase(deps as unknown as Parameters<typeof planCase>[0], caseId, choice)).rejects.toMatchObject(
    locked,
  );
  await expect(insert('gamma')).rejects.toMatchObject(locked);
  await expect(approve('beta', waiting)).rejects.toMatchObject(locked);
  await expect(applyRepair(deps, pat, ready)).rejects.toMatchObject(locked);
  expect([(await fetchRepair(db, ready)).state, (await fetchRepair(db, waiting)).state]).toEqual([
    'approved',
    'planned',
  ]);
  await clockDb.destroy();
});
