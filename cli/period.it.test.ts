// trueup period against real servers: what an operator sees while a month is closed.

import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rollUpPending } from '../aggregate/rollup.ts';
import { WAITS } from '../domain/contracts/waits.ts';
import { parsePeriod } from '../domain/period.ts';
import { createIngestBench, usageRecord, type IngestBench } from '../ingest/testing/bench.ts';
import { advanceClock } from '../platform/clock.ts';
import { parseEnvPart } from '../platform/env.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import { run } from './period.ts';
import type { StoreTables } from './stores.ts';

const OCTOBER = parsePeriod('2026-10');
const BASE_MS = Date.UTC(2026, 9, 3, 12);

let bench: IngestBench;
let db: Postgres<StoreTables>;

beforeEach(async () => {
  bench = await createIngestBench('cli_period', 2);
  db = createPostgres<StoreTables>(bench.databases.postgresUrl);
});
afterEach(async () => {
  await db.destroy();
  await bench.close();
});

type Said = { code: number; answer: string[]; remarks: string[] };

async function period(...args: string[]): Promise<Said> {
  const answer: string[] = [];
  const remarks: string[] = [];
  const source = {
    ...process.env,
    TRUEUP_POSTGRES_URL: bench.databases.postgresUrl,
    TRUEUP_CLICKHOUSE_DATABASE: bench.databases.name,
    TRUEUP_TOPIC: bench.topic,
    TRUEUP_CLOCK: 'simulated',
  };
  const code = await run(args, {
    env: (...names) => parseEnvPart(source, names),
    variables: source,
    stdin: Readable.from([]),
    print: (line) => answer.push(line),
    warn: (line) => remarks.push(line),
  });
  return { code, answer, remarks };
}

async function rollUp(): Promise<void> {
  const { clickhouse } = bench.databases;
  while ((await rollUpPending({ clickhouse, db })).blocks > 0);
}

test('a month is closed once grace is over, waits for the rollup when told to, and closes the same again', async () => {
  await advanceClock(db, OCTOBER.endAtMs + WAITS.graceMs - 1);
  await bench.startSink();
  await bench.send(Array.from({ length: 40 }, (_, n) => usageRecord(n, { atMs: BASE_MS + n * 60_000 })));
  await bench.untilCaughtUp();
  await expect(period('close', '2026-10')).rejects.toMatchObject({ code: 'PERIOD_NOT_ENDED' });
  await advanceClock(db, OCTOBER.endAtMs + WAITS.graceMs);
  await expect(period('close', '2026-10')).rejects.toMatchObject({ code: 'ROLLUP_BEHIND' });
  expect((await period('status', '2026-10')).answer.join('\n')).toMatch(/CLOSING[^]*coverage +to_roll_up/);

  const waiting = period('close', '2026-10', '--wait-minutes', '1');
  await rollUp();
  const closed = await waiting;
  expect(closed).toMatchObject({ code: 0, answer: [expect.stringMatching(/^2026-10 is closed: 40 events, \w{64}$/)] });
  expect(await period('close', '2026-10')).toMatchObject({ code: 0, answer: closed.answer });
  const [json] = (await period('close', '2026-10', '--json')).answer;
  expect(JSON.parse(json ?? '')).toMatchObject({ period: '2026-10', events: '40' });
  expect((await period('status', '2026-10')).answer.join('\n')).toMatch(/CLOSED[^]*coverage +complete/);
  expect((await period('explain', '2026-10')).answer.join('\n')).toContain('agrees: recomputed from the log');
});
