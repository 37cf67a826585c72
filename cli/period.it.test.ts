// trueup period against real servers: what an operator sees while a month is closed, adjusted, explained and archived.

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { computePeriodDigest } from '../aggregate/digest.ts';
import { rollUpAll } from '../aggregate/testing/roll-up.ts';
import { WAITS } from '../domain/contracts/waits.ts';
import { parsePeriod, toIso } from '../domain/period.ts';
import { createIngestBench, usageRecord, type IngestBench } from '../ingest/testing/bench.ts';
import { advanceClock } from '../platform/clock.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import type { StoreTables } from './stores.ts';
import { runTrueup, type Said } from './testing/run-trueup.ts';

const OCTOBER = parsePeriod('2026-10');
const GRACE_ENDS_MS = OCTOBER.endAtMs + WAITS.graceMs;
const ARCHIVE_DUE_MS = GRACE_ENDS_MS + WAITS.disputeWindowMs;
const BASE_MS = Date.UTC(2026, 9, 3, 12);
const EVENTS = 40;

let bench: IngestBench;
let db: Postgres<StoreTables>;

beforeEach(async () => {
  bench = await createIngestBench('cli_period', 2);
  db = createPostgres<StoreTables>(bench.databases.postgresUrl);
  await advanceClock(db, GRACE_ENDS_MS - 1);
  await bench.startSink();
  await bench.send(Array.from({ length: EVENTS }, (_, n) => usageRecord(n, { atMs: BASE_MS + n * 60_000 })));
  await bench.untilCaughtUp();
});
afterEach(async () => {
  await db.destroy();
  await bench.close();
});

async function trueup(line: string): Promise<Said> {
  return runTrueup(line, {
    ...process.env,
    ...bench.databases.variables,
    TRUEUP_TOPIC: bench.topic,
    TRUEUP_CLOCK: 'simulated',
  });
}

async function does(line: string, code = 0): Promise<string> {
  const said = await trueup(line);
  const unexpected = said.code === code ? '' : `${said.err}\n${said.out}`;
  expect({ line, code: said.code, unexpected }).toEqual({ line, code, unexpected: '' });
  return said.out;
}

async function answers<T>(line: string, code = 0): Promise<T> {
  return JSON.parse(await does(`${line} --json`, code)) as T;
}

async function fails(line: string, says: string, code = 1): Promise<void> {
  const said = await trueup(line);
  expect(said.err).toContain(says);
  expect({ line, code: said.code }).toEqual({ line, code });
}

async function rollUp(): Promise<void> {
  const { clickhouse } = bench.databases;
  await rollUpAll({ clickhouse, db });
}

async function closeOctober(): Promise<string> {
  await advanceClock(db, GRACE_ENDS_MS);
  await rollUp();
  return does('period close 2026-10');
}

/** Of October, arriving in November; 20 units in tenths of an action. */
async function sendLate(id: string): Promise<void> {
  const late = usageRecord(0, { id, atMs: BASE_MS, attributes: { subject: 'ns2.acme', quantity: '2' } });
  await bench.send([{ ...late, timestampMs: GRACE_ENDS_MS }]);
}

async function alterClosedHours(namespace: string): Promise<void> {
  await bench.databases.clickhouse.command(
    `ALTER TABLE closed_usage_hour_v1 UPDATE quantity = quantity + 1 WHERE namespace = {namespace:String}
     SETTINGS mutations_sync = 2`,
    { namespace },
  );
}

const sumOf = (records: readonly string[]) => records.reduce((sum, one) => sum + BigInt(one), 0n);

type Digest = Record<'namespace' | 'meter' | 'total' | 'events' | 'sum' | 'xor', string>;
type Status = Record<'logEnds' | 'barrier' | 'lag' | 'beyond' | 'beyondLag', string[]> & {
  digest: string;
  events: string;
  digests: Digest[];
};

test('a month is closed once grace is over, waits for the rollup when told to, and closes the same again', async () => {
  await fails('period close 2026-10', '2026-10 is in grace until');
  await advanceClock(db, GRACE_ENDS_MS);
  await fails('period close 2026-10', 'blocks wait for the rollup worker');
  expect(await does('period status 2026-10')).toMatch(/CLOSING[^]*coverage +to_roll_up/);

  const waiting = does('period close 2026-10 --wait-minutes 1');
  await rollUp();
  const closed = await waiting;
  expect(closed).toMatch(/^2026-10 is closed: 40 events, \w{64}$/);
  expect(await does('period close 2026-10')).toBe(closed);
  expect(await answers('period close 2026-10')).toMatchObject({ period: '2026-10', events: '40' });
  expect(await does('period status 2026-10')).toMatch(/CLOSED[^]*coverage +complete/);
  expect(await does('period explain 2026-10')).toContain('agrees: recomputed from the log');
});

describe('status', () => {
  test('counts what is stored up to the barrier, and what the log holds behind it', async () => {
    await bench.stopSink();
    await bench.send([usageRecord(EVENTS, { atMs: BASE_MS })]);
    const open = await does('period status 2026-10');
    expect(open).toMatch(/barrier +from 2026-11-03T00:00:00\.000Z; the log ends at \d+,\d+/);
    expect(open).toMatch(/stored +\d+,\d+, 1 records short of the barrier/);
    expect(open).not.toMatch(/^ +log /m);
    expect(sumOf((await answers<Status>('period status 2026-10')).lag)).toBe(1n);

    await bench.startSink();
    await bench.untilCaughtUp();
    await closeOctober();
    expect(await does('period status 2026-10')).toMatch(/^ +log +ends at the barrier$/m);
    await bench.stopSink();
    const november = Array.from({ length: 3 }, (_, n) => usageRecord(100 + n, { atMs: GRACE_ENDS_MS + n }));
    await bench.send(november);
    const behind = await does('period status 2026-10');
    expect(behind).toMatch(/log +ends at \d+,\d+: 3 records behind the barrier, 3 of them not stored yet/);
    expect(behind).toMatch(/coverage +complete/);
    const { logEnds, barrier, lag, beyond, beyondLag } = await answers<Status>('period status 2026-10');
    expect(logEnds.map((end, partition) => String(BigInt(end) - BigInt(barrier[partition] ?? 0)))).toEqual(beyond);
    expect({ lag: sumOf(lag), beyond: sumOf(beyond), beyondLag: sumOf(beyondLag) }).toEqual({
      lag: 0n,
      beyond: 3n,
      beyondLag: 3n,
    });

    await bench.startSink();
    await bench.untilCaughtUp();
    expect(await does('period status 2026-10')).toMatch(/log +ends at \d+,\d+: 3 records behind the barrier$/m);
  });

  test('names the digest of every namespace and meter when asked, which come to the digest of the month', async () => {
    expect(await does('period status 2026-10 --digests')).toBe(await does('period status 2026-10'));
    expect((await answers<Status>('period status 2026-10 --digests')).digests).toEqual([]);
    await closeOctober();
    expect(await does('period status 2026-10')).not.toContain('NAMESPACE');
    const table = await does('period status 2026-10 --digests');
    expect(table.match(/^ns\d\.acme +actions +\d+ +[56] +\d+ +\d+$/gm)).toHaveLength(7);
    const { digests, digest, events } = await answers<Status>('period status 2026-10 --digests');
    const rows = digests.map(({ events: counted, sum, xor, ...row }) => {
      return { ...row, counted, sum_of_digests: sum, xor_of_digests: xor };
    });
    expect(computePeriodDigest('2026-10', rows)).toEqual({ digest, events: BigInt(events) });

    await alterClosedHours('ns1.acme');
    await fails('period status 2026-10 --digests', 'the closed rows of 2026-10 do not come to the digest on record');
    expect((await trueup('period status 2026-10')).code).toBe(0);
  });
});

test('usage that came late is posted once to the open month, and status says so', async () => {
  await fails('period adjust 2026-10', '2026-10 has no barrier yet');
  await closeOctober();
  expect(await does('period status 2026-10')).toMatch(/ {2}adjusted +no$/m);
  expect(await does('period adjust 2026-10')).toBe('nothing changed about 2026-10 that is not posted already');
  await sendLate('late-1');
  await bench.untilCaughtUp();
  await fails('period adjust 2026-10', 'blocks wait for the rollup worker');
  await rollUp();
  expect(await does('period adjust 2026-10')).toBe('1: ns2.acme actions +20, posted to 2026-11');
  const status = await does('period status 2026-10');
  expect(status).toMatch(/^2026-10 {2}ADJUSTED$/m);
  expect(status).toMatch(/^ {2}adjusted +\n {4}1: ns2\.acme actions \+20, posted to 2026-11$/m);
  await sendLate('late-1');
  await sendLate('late-2');
  await bench.untilCaughtUp();
  await rollUp();
  expect(await answers('period adjust 2026-10')).toMatchObject({
    k: 2,
    adjustments: [{ namespace: 'ns2.acme', quantity: '20', postedTo: '2026-11' }],
  });
  expect(await answers('period adjust 2026-10')).toMatchObject({ k: 2 });
  expect((await does('period status 2026-10')).match(/^ {4}\d: ns2\.acme actions \+20/gm)).toHaveLength(2);
  expect(await does('period explain 2026-10')).toContain('agrees');
});

test('a month whose closed rows were altered is explained as different, by namespace, with exit code 1', async () => {
  await fails('period explain 2026-10', '2026-10 has no barrier yet');
  await fails('period explain 2026-10 --from memory', '--from is log or truth', 2);
  await closeOctober();
  await alterClosedHours('ns1.acme');
  for (const from of ['log', 'truth']) {
    const said = await does(`period explain 2026-10 --from ${from}`, 1);
    expect(said).toContain(`2026-10 DIFFERS: recomputed from the ${from}, 40 records read`);
    expect(said).toMatch(/ns1\.acme actions: closed 61 \(6 events\), recomputed 60 \(6\)/);
    const [, recorded, stored, recomputed] = said.split('\n').map((line) => /\w{64}/.exec(line)?.[0]);
    expect(recomputed).toBe(recorded);
    expect(stored).not.toBe(recorded);
  }
  expect(await answers('period explain 2026-10', 1)).toMatchObject({
    agrees: false,
    differences: [{ namespace: 'ns1.acme', meter: 'actions', closed: '61', recomputed: '60' }],
  });
});

test('a month is archived when its dispute window is over, named file by file, and explained from the archive', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trueup-cli-archive-'));
  const archive = `period archive 2026-10 --to ${folder}`;
  await fails('period archive 2026-10 --dry-run', '2026-10 has no barrier yet');
  const closed = await closeOctober();
  const digest = /\w{64}/.exec(closed)?.[0] ?? '';
  await sendLate('late-1');
  await bench.untilCaughtUp();
  await rollUp();
  await fails('period archive 2026-10', 'name the archive folder with --to, or look first with --dry-run', 2);
  expect(await does('period archive 2026-10 --dry-run')).toMatch(
    new RegExp(
      `^2026-10: due from ${toIso(ARCHIVE_DUE_MS)}, archive NONE\nwould archive 41 events and 0 losing copies, then drop\n` +
        ` {2}usage_events_v1: 41 rows, \\d+ bytes\n {2}usage_minute_v1: \\d+ rows, \\d+ bytes$`,
    ),
  );
  await fails(archive, `2026-10 can be disputed until ${toIso(ARCHIVE_DUE_MS)}`);
  expect(await does('period status 2026-10')).toMatch(/archive +none\n +adjusted +no$/);

  await advanceClock(db, ARCHIVE_DUE_MS);
  expect(await does('period archive 2026-10 --dry-run')).toContain(`due since ${toIso(ARCHIVE_DUE_MS)}, archive NONE`);
  const done = await trueup(archive);
  expect(done).toMatchObject({ code: 0, err: expect.stringMatching(/verified[^]*dropped$/) as string });
  const [first, ...files] = done.out.split('\n');
  expect(first).toBe(`2026-10 DROPPED in ${folder}, digest ${digest}`);
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const [, sha256 = '', name = ''] = /^ {2}(\w{64}) {2}\d+ rows {2}(\S+)$/.exec(file) ?? [];
    expect(
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ).toBe(sha256);
  }
  expect((await trueup(archive)).out).toBe(done.out);
  expect(await does('period status 2026-10')).toMatch(
    /ADJUSTED[^]*archive +DROPPED\n +adjusted +\n +1: ns2\.acme actions \+20/,
  );
  expect(await does('period explain 2026-10')).toMatch(
    /agrees: recomputed from the archive, 41 records read[^]*40 events/,
  );
  expect(await answers('period explain 2026-10')).toMatchObject({ from: 'archive', agrees: true, differences: [] });
  await fails('period adjust 2026-10', '2026-10');
  expect(await does('period archive 2026-10 --dry-run')).toContain('archive DROPPED');

  truncateSync(join(folder, '2026-10/events-2026-10-03.parquet'), 100);
  await fails('period explain 2026-10', 'events-2026-10-03.parquet');
});
