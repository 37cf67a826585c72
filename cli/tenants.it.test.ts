// trueup tenants, against databases of its own.

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PrincipalTables } from '../accounts/principals.ts';
import { TENANT_TIERS } from '../domain/tiers.ts';
import { advanceClock, type BusinessClockTables } from '../platform/clock.ts';
import { createPostgres } from '../platform/postgres.ts';
import { createFreshDatabases, type FreshDatabases } from '../platform/testing/fresh-databases.ts';
import { runTrueup, type Said } from './testing/run-trueup.ts';

const NOON_MS = Date.UTC(2026, 9, 15, 12);
const TENANTS = 130;

let databases: FreshDatabases;

beforeEach(async () => {
  databases = await createFreshDatabases('cli_tenants');
  const db = createPostgres<BusinessClockTables & Pick<PrincipalTables, 'accounts'>>(databases.postgresUrl, 1);
  await advanceClock(db, NOON_MS);
  const accounts = Array.from({ length: TENANTS }, (_, n) => ({
    id: `t${n}`,
    currency: 'usd',
    created_at: new Date(0),
  }));
  await db
    .insertInto('accounts')
    .values([...accounts, { id: 'quiet', currency: 'usd', created_at: new Date(0) }])
    .execute();
  await db.destroy();
  await databases.clickhouse.command(
    `INSERT INTO usage_day_v1 (namespace, meter, day, quantity, events, run)
     SELECT concat('main.t', toString(number)), 'actions', toDate('2026-10-15'), 1000 - number, 1000 - number, 1
     FROM numbers(${TENANTS})`,
  );
  await does('people set olga --roles operator');
  await does('people set rae --roles reviewer --as olga');
});
afterEach(async () => databases.close());

async function trueup(line: string, over: Record<string, string> = {}): Promise<Said> {
  const variables = { TRUEUP_POSTGRES_URL: databases.postgresUrl, TRUEUP_CLICKHOUSE_DATABASE: databases.name };
  return runTrueup(line, { ...process.env, ...variables, TRUEUP_CLOCK: 'simulated', ...over });
}

async function does(line: string): Promise<string> {
  const { code, out, err } = await trueup(line);
  expect({ line, code, err: code === 0 ? '' : err }).toEqual({ line, code: 0, err: '' });
  return out;
}

async function fails(line: string, says: string, code = 1): Promise<void> {
  const said = await trueup(line);
  expect(said.err).toContain(says);
  expect(said.code).toBe(code);
}

type Tenant = { account: string; rank: number | string | null; events: number | string; tier: string; pin: object };

test('the list says who is named by usage, who keeps what it has, and who is pinned', async () => {
  await does("tenants pin quiet --reason 'launch week' --as olga");
  await does('tenants pin t125 --reason watched --as olga');
  const { out, err } = await trueup('tenants list --limit 2');
  expect(out.split('\n')).toEqual([
    expect.stringMatching(/^RANK +ACCOUNT +EVENTS TODAY +TIER +PIN$/),
    expect.stringMatching(/^1 +t0 +1000 +enters$/),
    expect.stringMatching(/^2 +t1 +999 +enters$/),
    expect.stringMatching(/^126 +t125 +875 +pinned +watched \(olga, 2026-10-15T12:00:00\.000Z\)$/),
    expect.stringMatching(/^- +quiet +0 +pinned +launch week \(olga, .*\)$/),
  ]);
  expect(err).toContain('130 tenants used something today');
  expect(err).toContain(`2 of ${TENANT_TIERS.pinnedMaximum} pins are taken`);
  const tenants = JSON.parse(await does('tenants list --limit 200 --json')) as Tenant[];
  const tierOf = (account: string) => tenants.find((one) => one.account === account)?.tier;
  expect(['t89', 't90', 't119', 't120', 't125'].map(tierOf)).toEqual(['enters', 'keeps', 'keeps', 'leaves', 'pinned']);
  expect(tenants.at(-1)).toMatchObject({ account: 'quiet', rank: null, pin: { pinnedBy: 'olga' } });
});

test('without the rollups pins are still known, ranks are unknown and not absent', async () => {
  await does('tenants pin t3 --reason watched --as olga');
  const away = await trueup('tenants list --json', { TRUEUP_CLICKHOUSE_URL: 'http://127.0.0.1:1' });
  expect(away.code).toBe(1);
  expect(away.err).toContain('only pins are known');
  expect(JSON.parse(away.out)).toMatchObject([{ account: 't3', rank: 'unknown', events: 'unknown', tier: 'pinned' }]);
});

test('a pin names a registered account, a reason and an operator; it stands once, and in the audit log', async () => {
  await fails('tenants pin gone --reason x --as olga', 'account gone is not registered', 2);
  await fails('tenants pin t1 --as olga', '--reason says why', 2);
  await fails('tenants pin t1 --reason x', '--as names the person', 2);
  await fails('tenants pin t1 --reason x --as nobody', 'nobody is named "nobody"');
  await fails('tenants pin t1 --reason x --as rae', 'tenant.pin needs the role operator');
  await fails('tenants pin --reason x --as olga', 'name one account', 2);
  await fails('tenants unpin t1 --as olga', 't1 is not pinned');
  await fails('tenants list --limit none', '--limit is from 1 to 10000', 2);
  await fails('tenants', 'say list, pin or unpin', 2);
  expect(JSON.parse(await does('tenants list --limit 1 --json'))).toMatchObject([{ account: 't0', pin: null }]);

  await does('tenants pin t1 --reason first --as olga');
  const again = await trueup('tenants pin t1 --reason second --as olga');
  expect(again).toMatchObject({ code: 0, err: expect.stringContaining('t1 is pinned already: first (olga') as string });
  await does('tenants unpin t1 --as olga');
  await fails('tenants unpin t1 --as olga', 't1 is not pinned');
  expect(await does('audit-log list --subject t1')).toMatch(/olga +tenant\.pinned [^]*olga +tenant\.unpinned /);
  expect((await does('audit-log list --subject t1')).match(/tenant\.pinned/g)).toHaveLength(1);
});

test('no more are pinned than there is room for, however many try at once', async () => {
  const most = TENANT_TIERS.pinnedMaximum;
  const tries = Array.from({ length: most + 4 }, async (_, n) => trueup(`tenants pin t${n} --reason x --as olga`));
  const said = await Promise.all(tries);
  expect(said.filter(({ code }) => code === 0)).toHaveLength(most);
  for (const { err } of said.filter(({ code }) => code !== 0)) {
    expect(err).toContain(`${most} tenants are pinned, and no more may be: unpin one first`);
  }
  const pins = (JSON.parse(await does('tenants list --json')) as Tenant[]).filter(({ tier }) => tier === 'pinned');
  expect(pins).toHaveLength(most);
  await does(`tenants unpin ${pins[0]?.account ?? ''} --as olga`);
  await does('tenants pin quiet --reason x --as olga');
});
