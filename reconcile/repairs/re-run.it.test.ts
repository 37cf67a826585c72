import { afterEach, expect, test } from 'vitest';
import type { Actor } from '../../domain/contracts/permissions.ts';
import { createClock, type BusinessClockTables } from '../../platform/clock.ts';
import { createLog } from '../../platform/log.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { asOfPeriod, type Deps } from '../activities/deps.ts';
import { fetchSides } from '../activities/sides.ts';
import { fetchCases } from '../cases/book.ts';
import { compareAccount } from '../compare/account.ts';
import { fetchRunAccount } from '../store/runs.ts';
import { createCloseWorld, type CloseWorld } from '../testing/close-world.ts';
import { addPerson } from '../testing/repair-world.ts';
import { applyRepair } from './apply.ts';
import { approveRepair, computePlanHash, insertRepair } from './book.ts';
import { fetchKnownCases } from './explained.ts';
import { planCase } from './plan-case.ts';

let world: CloseWorld;
afterEach(async () => world.end());

const pat: Actor = { id: 'pat', roles: ['preparer'] };
const rae: Actor = { id: 'rae', roles: ['reviewer'] };

test('a comparison after the repair of what a close found finds nothing more', async () => {
  world = await createCloseWorld([{ name: 'over', plan: 'developer', usage: { actions: 10_000_000n } }]);
  const { db, period, usage, accounts, billing } = world;
  const account = world.id('over');
  await world.stripe.plant({ kind: 'line_quantity', account, event_name: 'actions', delta: '2000000' });
  await world.startWorker();
  const report = await world.close();
  expect(report.breaks).toMatchObject([{ code: 'QTY_MISMATCH', amountMinor: '-1000' }]);

  const clockDb = createPostgres<BusinessClockTables>(world.postgresUrl);
  const clock = createClock('simulated', clockDb);
  const log = createLog('reconcile', 'silent');
  const deps: Deps = { db, usage, accounts, billing, clock, log, codeVersion: 'test' };
  for (const person of [pat, rae]) await addPerson(db, person);
  const [found] = await fetchCases(db, { period: period.key });
  const planned = await planCase(deps, found?.caseId ?? '', { kind: 'credit_note', reason: 'Stripe counted more' });
  if (!planned.ok) throw new Error(planned.why);
  const atMs = await clock.now();
  const repairId = await insertRepair(db, pat, { plan: planned.plan, bulkId: null, atMs });
  await approveRepair(db, rae, { repairId, planHash: computePlanHash(planned.plan), atMs });
  expect(await applyRepair({ db, billing, clock, waitMs: 10_000 }, pat, repairId)).toMatchObject({ state: 'verified' });

  const row = await fetchRunAccount(db, { run: report.run, account });
  const sides = await fetchSides(deps, await accounts.fetchAccount(account, asOfPeriod(period)), { period, row });
  const cases = await fetchKnownCases(db, { period, account });
  const { findings } = compareAccount({ ...sides.own, cases }, sides.biller, sides.at);
  expect(findings).toEqual([]);
  await clockDb.destroy();
}, 120_000);
