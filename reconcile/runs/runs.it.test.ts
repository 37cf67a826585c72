import { afterEach, describe, expect, test } from 'vitest';
import { setRoles, type PeopleTables } from '../../accounts/people.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { verifyAuditLog } from '../audit-log/check.ts';
import { fetchCases } from '../cases/book.ts';
import { DAY_MS } from '../../domain/period.ts';
import { addHold, releaseHold } from '../holds/book.ts';
import { carryOutRun, fetchReport } from '../door.ts';
import { createCloseWorld, type CloseWorld, type WorldAccount } from '../testing/close-world.ts';
import { describeDiff } from './diff.ts';
import { diffRuns, openRevision, rerunOffline } from './rerun.ts';

const alpha: WorldAccount = {
  name: 'alpha',
  plan: 'business',
  usage: { actions: 137_500_000n, active_storage: 2_580_000n, retained_storage: 78_000_000n },
};
const small = (name: string): WorldAccount => ({ name, plan: 'developer', usage: { actions: 24_000_000n } });

let world: CloseWorld;
afterEach(async () => world.end());

describe('a closed period', () => {
  test('comes out with both hashes from stored evidence alone, and again as a revision that says what changed', async () => {
    world = await createCloseWorld([alpha, small('tier'), small('dropped'), small('failed'), small('held')]);
    await world.stripe.plant({ kind: 'line_tier', account: world.id('tier'), event_name: 'actions' });
    const hour = world.period.startAtMs;
    await world.stripe.plant({
      kind: 'drop_meter_event',
      account: world.id('dropped'),
      event_name: 'actions',
      hour: '2026-10-01T00:00:00Z',
    });
    await world.accounts.recordStripeId(world.id('failed'), 'customer', `cus_gone_${world.id('failed')}`);
    const ada = { id: 'ada', roles: ['operator'] } as const;
    const people = createPostgres<PeopleTables>(world.postgresUrl);
    await setRoles(people, { ...ada, atMs: hour });
    await people.destroy();
    const hold = { account: world.id('held'), kinds: ['finalization'], reason: 'price in doubt' } as const;
    const id = await addHold(world.db, ada, { ...hold, atMs: hour, expiresAtMs: hour + 90 * DAY_MS });
    await world.startWorker();
    const report = await world.close();
    const { db } = world;

    const offline = await rerunOffline(db, report.run);
    expect(describeDiff(offline.diff)).toEqual([`${report.run} → ${report.run}: same report hash, same evidence hash`]);
    expect(offline).toMatchObject({ equal: true, reportHash: report.reportHash, evidenceHash: report.evidenceHash });
    const keys = report.breaks.map(({ code, account }) => `${account} ${code}`).sort();
    const cases = await fetchCases(db, { period: report.period });
    expect(cases.map(({ code, account }) => `${account} ${code}`).sort()).toEqual(keys);

    expect(report.accounts.find(({ account }) => account === world.id('held'))).toMatchObject({
      state: 'held',
      reasons: [expect.stringContaining('ON_HOLD: price in doubt (ada, until ')],
    });

    await releaseHold(db, ada, { id, reason: 'the price is right', atMs: hour + 1 });
    const request = { period: report.period, why: 'the customer is set up', codeVersion: 'test', atMs: hour };
    await expect(openRevision(db, { id: 'sam', roles: [] }, request)).rejects.toThrow('sam has no role');
    const run = await openRevision(db, ada, request);
    expect(await openRevision(db, ada, request)).toBe(run);
    await carryOutRun(world.client, run, report.period);
    const again = await fetchReport(db, report.period);
    expect(again).toMatchObject({ run: `${report.run}-r2`, verdict: { held: report.verdict.held - 1 } });
    expect(await rerunOffline(db, run)).toMatchObject({ equal: true });
    expect(await diffRuns(db, report.run, run)).toMatchObject({
      sameReport: false,
      breaks: [],
      accounts: [
        {
          account: world.id('held'),
          fields: [
            { field: 'state', from: 'held', to: 'billed' },
            { field: 'invoicedMinor', from: null, to: '13200' },
          ],
        },
      ],
    });
    expect((await verifyAuditLog(db, [])).faults).toEqual([]);

    await db.updateTable('evidence').set({ body: '{}' }).where('kind', '=', 'account-sides').execute();
    await expect(rerunOffline(db, report.run)).rejects.toThrow('was altered');
  }, 180_000);
});
