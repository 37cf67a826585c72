// trueup rejects against real servers: what an operator finds of records that could not be counted, and sends again.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, toIso } from '../domain/period.ts';
import { parseCaseKeys } from '../ingest/case.ts';
import { createIngestBench, usageRecord, type IngestBench } from '../ingest/testing/bench.ts';
import { advanceClock, type BusinessClockTables } from '../platform/clock.ts';
import { createPostgres } from '../platform/postgres.ts';
import { NO_TRACING } from '../platform/tracing.ts';
import { runTrueup, type Said } from './testing/run-trueup.ts';

const NOON_MS = Date.UTC(2026, 10, 20, 12);
const OLD_MS = Date.UTC(2026, 9, 1, 12, 30);
const KEYS = 'k1:0123456789abcdef';

let bench: IngestBench;

type Sent = { readonly atMs: number; readonly hour: number; readonly attributes: Readonly<Record<string, unknown>> };

/** By what is wrong with them; each arrives `hour` hours behind noon. */
const BAD: Readonly<Record<string, Sent>> = {
  TIME_TOO_OLD: { atMs: OLD_MS, hour: 0, attributes: { subject: 'main.acme', quantity: '5' } },
  QUANTITY_INVALID: {
    atMs: NOON_MS - HOUR_MS,
    hour: 1,
    attributes: { subject: 'main.bolt', source: '/cell/2', quantity: 'many' },
  },
  TYPE_UNKNOWN: {
    atMs: NOON_MS,
    hour: 2,
    attributes: { subject: 'main.acme', source: '/cell/2', type: 'unheard_of' },
  },
  TIME_INVALID: { atMs: NOON_MS, hour: 3, attributes: { subject: 'main.acme', time: 'last week' } },
};

beforeAll(async () => {
  bench = await createIngestBench('cli_rejects', 2);
  const clock = createPostgres<BusinessClockTables>(bench.databases.postgresUrl, 1);
  await advanceClock(clock, NOON_MS + 4 * HOUR_MS);
  await clock.destroy();
  await bench.startSink(NO_TRACING, parseCaseKeys(KEYS));
  const bad = Object.entries(BAD).map(([id, { atMs, hour, attributes }]) => ({
    ...usageRecord(0, { id, atMs, attributes }),
    timestampMs: NOON_MS + hour * HOUR_MS,
  }));
  await bench.send([...bad, usageRecord(1, { atMs: NOON_MS })]);
  await bench.untilCaughtUp();
});
afterAll(async () => bench.close());

async function trueup(line: string, over: Record<string, string | undefined> = {}): Promise<Said> {
  return runTrueup(line, {
    ...process.env,
    ...bench.databases.variables,
    TRUEUP_TOPIC: bench.topic,
    TRUEUP_CLOCK: 'simulated',
    TRUEUP_CASE_KEYS: KEYS,
    ...over,
  });
}

async function does(line: string): Promise<string> {
  const { code, out, err } = await trueup(line);
  expect({ line, code, err: code === 0 ? '' : err }).toEqual({ line, code: 0, err: '' });
  return out;
}

async function fails(line: string, says: string, code: 1 | 2): Promise<void> {
  const said = await trueup(line);
  expect(said.err).toContain(says);
  expect({ line, code: said.code, out: said.out }).toEqual({ line, code, out: '' });
}

type Listed = { partition: number; offset: string; reason: string; happenedAtMs: number | null };

async function listed(options = ''): Promise<Listed[]> {
  const out = await does(`rejects list --json ${options}`);
  return out === '' ? [] : out.split('\n').map((line) => JSON.parse(line) as Listed);
}

/** Reasons in the order of the answer: newest arrival first. */
async function reasons(options = ''): Promise<string[]> {
  return (await listed(options)).map(({ reason }) => reason);
}

async function placeOf(reason: string): Promise<string> {
  const [one] = await listed(`--reason ${reason}`);
  return one === undefined ? 'nowhere' : `${one.partition}:${one.offset}`;
}

const arrival = (hour: number) => toIso(NOON_MS + hour * HOUR_MS);

test('rejects are listed newest first, each with where, when, why and who', async () => {
  const { out, err, code } = await trueup('rejects list');
  expect(code).toBe(0);
  expect(err).toBe('4 found');
  const lines = out.split('\n');
  expect(lines[0]).toMatch(/^\d:\d+ {2}2026-11-20T15:00:00\.000Z {2}TIME_INVALID {2}time {2}main\.acme \/cell\/1$/);
  expect(lines[2]).toContain('QUANTITY_INVALID  quantity  main.bolt /cell/2');
  expect(await trueup('rejects list --limit 2')).toMatchObject({
    err: '2 shown; there may be more: narrow the search',
  });
});

test('rejects are found by account, by source, by reason and by arrival', async () => {
  expect(await reasons()).toEqual(Object.keys(BAD).toReversed());
  expect(await reasons('--account acme')).toEqual(['TIME_INVALID', 'TYPE_UNKNOWN', 'TIME_TOO_OLD']);
  expect(await reasons('--account bolt')).toEqual(['QUANTITY_INVALID']);
  expect(await reasons('--account cme')).toEqual([]);
  expect(await reasons('--source /cell/2')).toEqual(['TYPE_UNKNOWN', 'QUANTITY_INVALID']);
  expect(await reasons('--source /cell')).toEqual([]);
  expect(await reasons('--reason TYPE_UNKNOWN')).toEqual(['TYPE_UNKNOWN']);
  expect(await reasons('--reason NOT_JSON')).toEqual([]);
  expect(await reasons(`--from ${arrival(2)}`)).toEqual(['TIME_INVALID', 'TYPE_UNKNOWN']);
  expect(await reasons(`--to ${arrival(2)}`)).toEqual(['QUANTITY_INVALID', 'TIME_TOO_OLD']);
  expect(await reasons(`--from ${arrival(1)} --to ${arrival(3)}`)).toEqual(['TYPE_UNKNOWN', 'QUANTITY_INVALID']);
});

test('rejects are found by the time at which they say they happened, in whichever zone it is asked', async () => {
  expect((await listed('--reason TIME_TOO_OLD'))[0]?.happenedAtMs).toBe(OLD_MS);
  expect((await listed('--reason TIME_INVALID'))[0]?.happenedAtMs).toBeNull();
  expect(await reasons('--happened-from 2026-10-01T00:00:00Z --happened-to 2026-10-02T00:00:00Z')).toEqual([
    'TIME_TOO_OLD',
  ]);
  expect(await reasons('--happened-to 2026-10-01T14:30:00+02:00')).toEqual([]);
  expect(await reasons('--happened-to 2026-10-01T14:30:00.001+02:00')).toEqual(['TIME_TOO_OLD']);
  expect(await reasons(`--happened-from ${toIso(NOON_MS - DAY_MS)}`)).toEqual(['TYPE_UNKNOWN', 'QUANTITY_INVALID']);
});

test('what is asked for together must hold together', async () => {
  expect(await reasons('--account acme --source /cell/2')).toEqual(['TYPE_UNKNOWN']);
  expect(await reasons('--account bolt --reason TYPE_UNKNOWN')).toEqual([]);
  const all = `--account acme --source /cell/2 --reason TYPE_UNKNOWN --from ${arrival(2)} --to ${arrival(3)}`;
  expect(await reasons(`${all} --happened-from ${toIso(NOON_MS)} --happened-to ${arrival(1)}`)).toEqual([
    'TYPE_UNKNOWN',
  ]);
  expect(await reasons(`${all} --happened-from ${arrival(1)}`)).toEqual([]);
});

test('one is shown whole: where it lies, why, what to do, what was sent', async () => {
  const place = await placeOf('QUANTITY_INVALID');
  const shown = await does(`rejects show ${place}`);
  expect(shown).toContain(`${place} of ${bench.topic}, arrived ${arrival(1)}`);
  expect(shown).toContain('reason   QUANTITY_INVALID (quantity)');
  expect(shown).toContain('next     quantity is a decimal string');
  expect(shown).toContain('happened 2026-11-20T11:00:00.000Z');
  expect(shown).toContain('"quantity":"many"');
  const json = JSON.parse(await does(`rejects show ${place} --json`)) as { payload: string; replays: unknown[] };
  expect(JSON.parse(Buffer.from(json.payload, 'base64').toString())).toMatchObject({ subject: 'main.bolt' });
  expect(json.replays).toEqual([]);
  expect(await does(`rejects show ${await placeOf('TIME_INVALID')}`)).toContain('happened not readable');
});

test('one that was too late counts under a case, and replayed once more it still counts once', async () => {
  const before = await bench.fetchTotals();
  expect(before).toEqual({ events: '1', quantity: '1' });
  const line = `rejects replay ${await placeOf('TIME_TOO_OLD')} --case late-1 --operator olga --why 'the cell was cut off'`;
  expect(await does(line)).toMatch(
    /^COUNTED at \d:\d+: main\.acme \/cell\/1 TIME_TOO_OLD\n.*: 0 events of 0 before,\n1 events of 5 now/,
  );
  await bench.untilCaughtUp();
  expect(await bench.fetchTotals()).toEqual({ events: '2', quantity: '6' });
  expect(JSON.parse(await does(`${line} --json`))).toMatchObject({
    outcome: 'COUNTED_BEFORE',
    before: { events: '1', quantity: '5' },
    after: { events: '1', quantity: '5' },
  });
  await bench.untilCaughtUp();
  expect(await bench.fetchTotals()).toEqual({ events: '2', quantity: '6' });
  const shown = await does(`rejects show ${await placeOf('TIME_TOO_OLD')}`);
  expect(shown.match(/replayed .* case late-1 by olga: COUNTED \d:\d+/g)).toHaveLength(1);
  expect(shown.match(/replayed .* case late-1 by olga: COUNTED_BEFORE \d:\d+/g)).toHaveLength(1);
});

test('one that is still wrong is not sent; corrected in a file it counts', async () => {
  const place = await placeOf('QUANTITY_INVALID');
  const line = `rejects replay ${place} --case fix-1 --operator olga --why typo`;
  await fails(line, 'the record would be rejected again: QUANTITY_INVALID (quantity)', 1);
  const { payload } = JSON.parse(await does(`rejects show ${place} --json`)) as { payload: string };
  const file = join(mkdtempSync(join(tmpdir(), 'trueup-rejects-')), 'record.json');
  const record = JSON.parse(Buffer.from(payload, 'base64').toString()) as object;
  writeFileSync(file, JSON.stringify({ ...record, quantity: '4' }));
  expect(await does(`${line} --record ${file}`)).toMatch(/^COUNTED at [^]*1 events of 4 now/);
});

test('a wrong command line says what is wrong with it', async () => {
  await fails('rejects', 'say list, show or replay', 2);
  await fails('rejects list --reason BAD', '--reason is one of EMPTY, LINE_TOO_LARGE', 2);
  await fails('rejects list --from yesterday', '--from is an RFC 3339 instant', 2);
  await fails('rejects list --happened-to 2026-10-01', '--happened-to is an RFC 3339 instant', 2);
  await fails(`rejects list --from ${arrival(2)} --to ${arrival(1)}`, '--from lies before --to', 2);
  await fails('rejects list --limit 0', '--limit is from 1 to 10000', 2);
  await fails('rejects list --acount acme', "'--acount'", 2);
  await fails('rejects show', 'name one record as <partition>:<offset>', 2);
  await fails('rejects show 0-1', 'name one record as <partition>:<offset>', 2);
  await fails('rejects show 0:999999', 'no record was rejected at 0:999999: find its coordinates', 1);
  await fails('rejects replay 0:0', 'a replay is on record: give --case, --operator and --why', 2);
  const replay = `rejects replay ${await placeOf('TIME_TOO_OLD')} --operator olga --why x`;
  await fails(`${replay} --case 'Late 1'`, '"Late 1" is not a case id', 1);
  const keyless = await trueup(`${replay} --case late-1`, { TRUEUP_CASE_KEYS: undefined });
  expect(keyless).toMatchObject({ code: 1, err: expect.stringContaining('no key to sign a case with') as string });
});
