// Every finance command over one closed month on real stores: events through Kafka and ClickHouse, billed by the simulated
// Stripe. The tests go through the month in the order in which a reviewer would, each building on the one before.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rollUpAll } from '../aggregate/testing/roll-up.ts';
import { createUsage } from '../aggregate/usage.ts';
import { DAY_MS, HOUR_MS, parsePeriod, toIso } from '../domain/period.ts';
import { createIngestBench, usageRecord, type IngestBench } from '../ingest/testing/bench.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import { createCloseWorld, type CloseWorld } from '../reconcile/testing/close-world.ts';
import { eventually } from '../stack/testing/eventually.ts';
import type { StoreTables } from './stores.ts';
import { runTrueup, type Said } from './testing/run-trueup.ts';

const OCTOBER = parsePeriod('2026-10');
const NOON_MS = OCTOBER.startAtMs + 2 * DAY_MS + 12 * HOUR_MS;
const NOON = '2026-10-03T12:00:00Z';
/** Sent each event of the month twice under new ids, and some of it not at all. */
const WRONG = '/cell/2';
const PEOPLE = ['acme', 'over', 'draft', 'under'];

let bench: IngestBench;
let world: CloseWorld;
let db: Postgres<StoreTables>;
const folder = mkdtempSync(join(tmpdir(), 'trueup-finance-'));

type Sent = { readonly account: string; readonly id: string; readonly quantity?: string; readonly at?: number };

async function send(of: Sent, attributes: Readonly<Record<string, unknown>> = {}, arrivesMs = of.at ?? NOON_MS) {
  const { account, id, quantity = '1', at: atMs = NOON_MS } = of;
  const subject = `main.${world.id(account)}`;
  const record = usageRecord(0, { atMs, id, attributes: { subject, quantity, ...attributes } });
  await bench.send([{ ...record, timestampMs: arrivesMs + 500 }]);
}

async function settle(): Promise<void> {
  await bench.untilCaughtUp();
  const { clickhouse } = bench.databases;
  await rollUpAll({ clickhouse, db });
}

/** 2,400,000 actions each from a good source; the wrong one adds twelve, or four, hundred thousand. */
async function sendMonth(): Promise<void> {
  for (const account of PEOPLE) await send({ account, id: `${account}-1`, quantity: '2400000' });
  for (const account of ['over', 'draft']) {
    await send({ account, id: `${account}-2`, quantity: '1200000' }, { source: WRONG });
  }
  await send({ account: 'under', id: 'under-2', quantity: '400000' }, { source: WRONG });
  await send({ account: 'acme', id: 'twice' });
  await send({ account: 'acme', id: 'contested' });
  await send({ account: 'acme', id: 'contested', quantity: '7' });
  await send({ account: 'acme', id: 'taken-back' });
  await send({ account: 'acme', id: 'the-void' }, { type: 'void', voids: 'taken-back' });
  await send({ account: 'acme', id: 'unheard' }, { type: 'unheard_of' });
}

async function trueup(line: string): Promise<Said> {
  return runTrueup(line, { ...process.env, ...world.variables, TRUEUP_TOPIC: bench.topic });
}

async function does(line: string, code = 0): Promise<string> {
  const said = await trueup(line);
  const unexpected = said.code === code ? '' : `${said.err}\n${said.out}`;
  expect({ line, code: said.code, unexpected }).toEqual({ line, code, unexpected: '' });
  return said.out;
}

async function answers(line: string, code = 0): Promise<unknown> {
  return JSON.parse(await does(`${line} --json`, code));
}

beforeAll(async () => {
  bench = await createIngestBench('finance', 2);
  db = createPostgres<StoreTables>(bench.databases.postgresUrl);
  const { databases, kafka, topic } = bench;
  const usage = createUsage({
    clickhouse: databases.clickhouse,
    db,
    topic,
    fetchEndOffsets: async () => kafka.fetchEndOffsets(topic),
  });
  const people = PEOPLE.map((name) => ({ name, plan: 'developer' as const, usage: {} }));
  world = await createCloseWorld(people, { databases, usage });
  await bench.startSink();
  // A copy that was merged away is only in the log any more.
  await databases.clickhouse.command('SYSTEM STOP MERGES usage_events_v1', {});
  await sendMonth();
  await settle();
  await send({ account: 'acme', id: 'twice' });
  await settle();
  await does('people set olga --roles operator,preparer');
  await does('people set pat --roles preparer --as olga');
  await does('people set rae --roles reviewer --as olga');
  const until = toIso(OCTOBER.endAtMs + 30 * DAY_MS);
  await does(`holds add --account ${world.id('draft')} --finalization --reason doubt --until ${until} --as pat`);
  await world.startWorker();
  await world.close(async (stage) => {
    if (stage !== 'late') return;
    await send({ account: 'acme', id: 'too-late', quantity: '200000' }, {}, OCTOBER.endAtMs + 49 * HOUR_MS);
    await settle();
  });
}, 240_000);

afterAll(async () => {
  await world.end();
  await db.destroy();
  await bench.close();
});

async function invoiceOf(account: string): Promise<string> {
  const { invoices } = await world.billing.fetchAccountBilling(
    { account: world.id(account), customer: await world.customer(account) },
    OCTOBER,
  );
  return invoices[0]?.id ?? '';
}

test('an invoice is explained down to the raw events of an hour, with their place in the log', async () => {
  const invoice = await invoiceOf('acme');
  const explained = await does(`explain invoice ${invoice}`);
  expect(explained).toMatch(/tier 1: 2,400,002 actions at 0\.005 minor units +120\.00/);
  expect(explained).toMatch(/actions 2,400,002 actions by actions-developer-2026-01 +120\.00/);
  expect(explained).toMatch(/plan fee +12\.00/);
  expect(explained).toMatch(/invoiced +132\.00/);
  expect(explained).toContain('USAGE_LATE actions');
  expect(await does(`explain invoice ${invoice} --line actions`)).toMatch(
    /2026-10-03T12:00:00.000Z +2,400,002 actions/,
  );
  const events = await does(`explain invoice ${invoice} --line actions --hour ${NOON}`);
  const places = events.matchAll(
    / (\S+) × (\S+) {2}(counted|duplicate|conflict|voided by the-void|void|late) {2}\S+ (\S+) {2}(\S+)@\d+ /g,
  );
  const fates = [...places].map(([, type, quantity, fate, id]) => `${id} ${type} ${quantity} ${fate}`).sort();
  expect(fates).toEqual([
    'acme-1 query 2400000 counted',
    'contested query 1 counted',
    'contested query 7 conflict',
    'taken-back query 1 voided by the-void',
    'the-void void 1 void',
    'too-late query 200000 late',
    'twice query 1 counted',
  ]);
  expect(events).toContain(`${bench.topic}/`);
  expect(events).toMatch(/rejected on arrival in this hour: TYPE_UNKNOWN type/);
  expect(await does(`explain invoice ${await invoiceOf('draft')}`)).toContain('draft');
  const { partition, offset } = (await answers('rejects list')) as { partition: number; offset: string };
  expect(await answers(`rejects show ${partition}:${offset}`)).toMatchObject({ reason: 'TYPE_UNKNOWN', replays: [] });
});

test('an event is explained up to the line that charged it, or why none did', async () => {
  const subject = `--subject main.${world.id('acme')}`;
  const invoice = await invoiceOf('acme');
  expect(await does(`explain event acme-1 ${subject}`)).toMatch(new RegExp(`counted[^]*charged on invoice ${invoice}`));
  expect(await does(`explain event twice ${subject}`)).toMatch(/duplicate[^]*charged nowhere/);
  expect(await does(`explain event contested ${subject}`)).toMatch(/× 7 {2}conflict[^]*charged nowhere/);
  expect(await does(`explain event taken-back ${subject}`)).toMatch(/voided by the-void[^]*charged nowhere/);
  expect(await does(`explain event too-late ${subject}`)).toMatch(/late[^]*an adjustment of its period/);
  expect(await answers(`explain event twice ${subject}`)).toMatchObject([
    { copy: { fate: 'counted' }, charge: { invoice } },
    { copy: { fate: 'duplicate' }, charge: null },
  ]);
  await does('explain event nothing-like-it', 1);
  await does('explain event', 2);
});

test('the report says what does not tie, and its files are named by their hashes', async () => {
  const out = join(folder, 'report');
  const manifest = await answers(`report 2026-10 --no-pdf --out ${out}`, 1);
  expect(manifest).toMatchObject({ reportHash: expect.stringMatching(/^\w{64}$/) as string });
  expect(readFileSync(join(out, 'breaks.csv'), 'utf8')).toMatch(/USAGE_LATE/);
  expect((await trueup('report 2026-09 --no-pdf')).err).toContain('trueup period status 2026-09');
  expect(await does('period status 2026-10')).toMatch(
    /ADJUSTED[^]*coverage +complete[^]*actions \+2000000, posted to 2026-11/,
  );
});

test('an audit with a read-only key finds the same charges out of own usage', async () => {
  const usage = join(folder, 'usage');
  mkdirSync(usage);
  const used = { acme: 24_000_020, over: 36_000_000, under: 28_000_000 };
  const customers = new Map<string, string>();
  for (const name of Object.keys(used)) customers.set(name, await world.customer(name));
  const rows = Object.entries(used).map(([name, quantity]) => `${customers.get(name)},actions,${NOON},${quantity}`);
  writeFileSync(join(usage, 'usage.csv'), ['customer,meter,time,quantity', ...rows].join('\n'));
  const out = join(folder, 'audit');
  const line = `audit --stripe-key rk_test_readonly --usage ${usage} --period 2026-10 --out ${out}`;
  const said = await trueup(line);
  expect(said.err).toContain('3 usage records of 3 customers');
  const own = new Set(customers.values());
  type Audited = { accounts: { account: string; state: string }[]; breaks: { account: string }[] };
  const { accounts, breaks } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Audited;
  // The simulated Stripe is shared: it has customers of other tests.
  expect(accounts.filter(({ account }) => own.has(account)).map(({ state }) => state)).toEqual(Array(3).fill('billed'));
  expect(breaks.filter(({ account }) => own.has(account))).toEqual([]);
  await does('audit --period 2026-10', 2);
});

test('a case is planned, approved by another, applied and settled', async () => {
  const id = `2026-10.${world.id('acme')}.USAGE_LATE.actions.usd`;
  expect(await does('cases list --period 2026-10')).toMatch(/USAGE_LATE\S+ +open +\w+ +10\.00 USD/);
  expect(await answers(`cases show ${id}`)).toMatchObject({ caseId: id, amountMinor: '1000' });
  const dry = await does(`repair plan ${id} --kind next_period --reason 'came late' --dry-run --as pat`);
  expect(dry).toContain("the customer's next invoice");
  const planned = await does(`repair plan ${id} --kind next_period --reason 'came late' --as pat`);
  const hash = /plan hash (\w{64})/.exec(planned)?.[1] ?? '';
  expect((await trueup(`repair approve ${id}-r1 --plan-hash ${hash} --as pat`)).code).toBe(1);
  await does(`repair approve ${id}-r1 --plan-hash ${hash} --as rae`);
  expect(await does(`repair apply ${id}-r1 --as pat`)).toContain('verified, 1 of 1 steps done');
  expect(await does(`cases show ${id}`)).toContain('is repaired');
});

const BULK = 'cell-2-october';

/** Until the process has begun to change something at Stripe; then kill -9. */
async function applyAndKill(): Promise<void> {
  const env = { ...process.env, ...world.variables, TRUEUP_TOPIC: bench.topic };
  const args = [join(import.meta.dirname, 'main.ts'), 'repair', 'bulk', 'apply', BULK, '--as', 'pat'];
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
  const gone = once(child, 'exit');
  await eventually(60_000, async () =>
    db
      .selectFrom('repairs')
      .select('state')
      .where('bulk_id', '=', BULK)
      .where('state', '=', 'applying')
      .executeTakeFirst(),
  );
  child.kill('SIGKILL');
  await gone;
}

test('usage of a source is corrected for three accounts at once, each where its invoice allows, once', async () => {
  const rows = [
    ['over', 4_000_000],
    ['draft', 4_000_000],
    ['under', 12_000_000],
  ] as const;
  const file = join(folder, 'quantities.csv');
  const lines = rows.map(([name, quantity]) => `${world.id(name)},actions,${NOON},${quantity}`);
  writeFileSync(file, ['account,meter,hour,quantity', ...lines].join('\n'));
  const window = '--from 2026-10-03T00:00:00Z --to 2026-10-04T00:00:00Z';
  const form = `repair bulk plan ${BULK} --source ${WRONG} ${window} --reason 'counted twice' --as pat`;
  await does(`${form} --void --factor 2`, 2);
  await does(
    `repair bulk plan ${BULK} --source ${WRONG} --from 2026-09-30T00:00:00Z --to 2026-10-04T00:00:00Z --void --reason x --as pat`,
    1,
  );
  // 1,200,000 actions at $50 a million and the fee of 10 %.
  expect(await answers(`${form} --void --account ${world.id('over')} --dry-run`)).toMatchObject({
    totals: [{ accounts: 1, amountMinor: '-6600' }],
  });
  expect(await answers(`${form} --factor 0.5 --dry-run`)).toMatchObject({
    totals: [{ accounts: 3, amountMinor: '-7700' }],
  });
  const planned = await does(`${form} --quantities ${file}`);
  expect(planned).toMatch(
    /over-\w+ +198\.00 USD +154\.00 USD +-44\.00 USD +credit_note +actions -40\.00, plan_fee -4\.00/,
  );
  expect(planned).toMatch(/draft-\w+ .* -44\.00 USD +invoice_item/);
  expect(planned).toMatch(/under-\w+ .* 44\.00 USD +next_period/);
  expect(planned).toContain('together -44.00 USD of 3 accounts');
  const hash = /plan hash (\w{64})/.exec(planned)?.[1] ?? '';
  const again = await trueup(
    `repair rerate plan other --period 2026-10 --price actions=0.00025 --reason x --as pat --dry-run`,
  );
  expect(again).toMatchObject({
    code: 1,
    out: expect.stringContaining(`not possible: bulk correction ${BULK}`) as string,
  });

  await does(`repair bulk approve ${BULK} --plan-hash ${hash} --as pat`, 1);
  await does(`repair bulk approve ${BULK} --plan-hash ${hash} --as rae`);
  await applyAndKill();
  await does(`repair bulk apply ${BULK} --as pat`);
  await does(`repair bulk apply ${BULK} --as pat`);
  expect(await answers(`repair bulk show ${BULK}`)).toMatchObject({
    repairs: [{ state: 'verified' }, { state: 'verified' }, { state: 'verified' }],
  });
  const held = async (name: string) =>
    world.billing.fetchAccountBilling({ account: world.id(name), customer: await world.customer(name) }, OCTOBER);
  const [over] = (await held('over')).invoices;
  expect(over?.creditNotes).toMatchObject([{ status: 'issued', amountMinor: 4400n }]);
  const [draft] = (await held('draft')).invoices;
  expect(draft?.lines.filter(({ caseId }) => caseId?.includes(BULK) === true)).toMatchObject([{ amountMinor: -4400n }]);
});

test('a period runs again from stored evidence, and afresh as a revision that says what changed', async () => {
  expect(await answers('runs rerun 2026-10 --offline')).toMatchObject({ equal: true });
  const [hold] = (await answers('holds list', 1)) as { id: string }[];
  await does(`holds release ${hold?.id ?? ''} --reason settled --as rae`);
  await does('runs rerun 2026-10 --as olga', 2);
  await does("runs rerun 2026-10 --why 'the hold is gone' --as rae", 1);
  const rerun = await trueup("runs rerun 2026-10 --why 'the hold is gone' --as olga");
  expect(rerun.err).toContain('close-2026-10-r2 is under way');
  expect(rerun.out).toMatch(/gone +USAGE_LATE acme-\w+ actions: 10\.00 USD/);
  expect(rerun.out).toContain('state held → billed');
  expect(rerun.code).toBe(1);
  expect(await does('runs list 2026-10')).toMatch(/close-2026-10-r2 +2 .* the hold is gone/);
  expect(await does('runs diff close-2026-10 close-2026-10-r2', 1)).toContain('another report hash');
  await does('report 2026-10 --no-pdf --out ' + join(folder, 'again'));
  expect(await answers('runs rerun 2026-10 --offline')).toMatchObject({ run: 'close-2026-10-r2', equal: true });
  expect(await does(`explain invoice ${await invoiceOf('draft')}`)).toMatch(
    /BULK-cell-2-october\.usd +-44\.00[^]*invoiced +154\.00/,
  );
  expect(await does(`explain invoice ${await invoiceOf('over')}`)).toMatch(
    /credit note \S+ issued \S+BULK-cell-2-october\.usd +-44\.00/,
  );
});

test('accounting says what is unbilled, what credit is left and what a ledger books', async () => {
  const accrued = await trueup('accounting accrual --at 2026-10-31T23:00:00Z --csv');
  expect(accrued.code).toBe(0);
  expect(accrued.out).toMatch(/^at,account,period,currency,earned/);
  expect(accrued.out).toMatch(/acme-\w+,2026-10,usd,132\.00,0\.00,0\.00,132\.00/);
  expect(accrued.err).toContain('unbilled');
  expect(await answers('accounting credits --period 2026-10')).toEqual([]);
  const path = await does(`accounting journal 2026-10 --csv --out ${folder}`);
  const journal = readFileSync(path, 'utf8');
  expect(journal).toMatch(/accounts_receivable,,,usd,132\.00,/);
  expect(journal).toMatch(/credit_note,over-\w+,revenue_adjustments,,\S+BULK-cell-2-october\.usd,usd,44\.00,/);
  await does('accounting journal', 2);
});

test('the hashes are recomputed from the files alone by the script that docs/finance.md shows', async () => {
  const docs = readFileSync(join(import.meta.dirname, '../docs/finance.md'), 'utf8');
  const script = /```python\n([^]*?)```/.exec(docs)?.[1] ?? '';
  for (const name of ['report', 'again']) {
    const { stdout } = await promisify(execFile)('python3', ['-c', script, join(folder, name, 'report.json')]);
    const manifest = JSON.parse(readFileSync(join(folder, name, 'manifest.json'), 'utf8')) as Record<string, string>;
    expect(stdout.trim()).toBe(`report ${manifest['reportHash']} evidence ${manifest['evidenceHash']}`);
  }
});

test('two persons sign, the period is locked, and the log proves who did what', async () => {
  await does('sign-off prepare 2026-10 --as pat');
  await does('sign-off approve 2026-10 --as rae');
  expect(await answers('sign-off status 2026-10')).toMatchObject({ state: 'locked', deviations: [] });
  expect((await trueup("runs rerun 2026-10 --why 'once more' --as olga")).err).toContain('sign-off reopen');
  const late = `repair rerate plan too-late --period 2026-10 --price actions=0.00025 --account ${world.id('acme')} --reason x --as pat`;
  expect((await trueup(late)).err).toContain('sign-off reopen');
  const anchor = await does('audit-log anchor');
  expect(await does(`audit-log verify --anchor ${anchor}`)).toMatch(/^intact: \d+ entries/);
  expect(await does('audit-log list --limit 500')).toMatch(/rae +sign-off.approved/);
});
