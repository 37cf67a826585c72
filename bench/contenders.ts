// The processes that read the topic: Trueup's stages as they run in production, and the pass-through consumer.
// The clock of a run starts when the reader has joined its group and stops when its result can be queried: starting a
// process is not part of what is measured, warming up is.

import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CLICKHOUSE_TABLES } from '../domain/contracts/tables.ts';
import { sinkGroupOf } from '../ingest/sink.ts';
import { createClickHouse, type ClickHouse } from '../platform/clickhouse.ts';
import { migrate } from '../platform/migrate.ts';
import { createPostgres } from '../platform/postgres.ts';
import { superviseProcesses, type Processes, type ProcessSpec } from '../stack/processes.ts';
import { sql } from 'kysely';
import { readCpuSeconds, subtract } from './cpu.ts';
import { createPlainTable } from './plain-table.ts';
import type { BenchStack } from './servers.ts';
import type { FilledTopic } from './topic.ts';

export type Run = {
  readonly seconds: number;
  /** CPU seconds by process, its children included. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
  readonly bytesOnDisk: Readonly<Record<string, number>>;
};

const POLL_MS = 20;
const DEADLINE_MS = 120_000;
const ROOT = join(import.meta.dirname, '..');

export async function runPassThrough(stack: BenchStack, filled: FilledTopic): Promise<Run> {
  const { kafka, env, clickhouse } = stack;
  // A group of its own each time: the reader is ended without leaving it.
  const groupId = `bench-pass-through-${Date.now()}`;
  await createPlainTable(clickhouse);
  const ends = await kafka.fetchEndOffsets(filled.topic);
  const messages = String(ends.reduce((sum, end) => sum + end, 0n));
  const args = [
    env['TRUEUP_KAFKA_BROKERS'] ?? '',
    env['TRUEUP_CLICKHOUSE_URL'] ?? '',
    stack.database,
    filled.topic,
    groupId,
    messages,
  ];
  const reader = startProcesses([{ name: 'passThrough', file: join(ROOT, 'bench/pass-through-consumer.ts'), args }]);
  try {
    await reader.line('passThrough', 'reading');
    const clock = startClock(stack, reader.processes, ['passThrough']);
    await reader.line('passThrough', 'done');
    const taken = clock();
    return { ...taken, bytesOnDisk: await readBytesOnDisk(clickhouse, stack.database) };
  } finally {
    await reader.processes.stop();
  }
}

export async function runTrueup(stack: BenchStack, filled: FilledTopic, profile?: string): Promise<Run> {
  const databases = await createRoundDatabases(stack);
  await stack.kafka.rewindGroup(sinkGroupOf(filled.topic), filled.topic);
  const variables: Record<string, string> = {
    ...stack.env,
    TRUEUP_POSTGRES_URL: databases.postgresUrl,
    TRUEUP_CLICKHOUSE_DATABASE: databases.name,
    TRUEUP_TOPIC: filled.topic,
    ...(profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` }),
  };
  const stage = (name: string): ProcessSpec => ({ name, file: join(ROOT, name, 'main.ts'), env: variables });
  const started: Reader[] = [];
  const start = (name: string) => {
    const reader = startProcesses([stage(name)], profile === undefined ? undefined : join(profile, `${name}.log`));
    started.push(reader);
    return reader;
  };
  const clickhouse = createClickHouse({ url: databases.clickhouseUrl, database: databases.name });
  try {
    const aggregate = start('aggregate');
    await aggregate.line('aggregate', 'rollup worker is running');
    const ingest = start('ingest');
    await ingest.line('ingest', `"topic":"${filled.topic}","msg":"reading"`);
    const pid = (name: string) => (name === 'ingest' ? ingest : aggregate).processes.pid(name);
    const events = await fetchEngineEvents(clickhouse);
    const clock = startClock(stack, { pid }, ['ingest', 'aggregate']);
    await untilRolledUp(databases.postgresUrl, await stack.kafka.fetchEndOffsets(filled.topic));
    await fetchMinute(clickhouse, filled.totals.lastMinuteMs);
    const taken = clock();
    if (profile !== undefined) {
      const spent = subtract(await fetchEngineEvents(clickhouse), events);
      writeFileSync(join(profile, 'engine-events.json'), JSON.stringify(spent, undefined, 1));
    }
    const bytesOnDisk = await readBytesOnDisk(clickhouse, databases.name);
    await checkTotals(clickhouse, filled);
    return { ...taken, bytesOnDisk };
  } finally {
    for (const reader of started) await reader.processes.stop();
    await clickhouse.command(`DROP DATABASE ${databases.name} SYNC`);
    await clickhouse.close();
  }
}

type Reader = { readonly processes: Processes; line(name: string, part: string): Promise<void> };

function startProcesses(specs: readonly ProcessSpec[], logFile?: string): Reader {
  const seen: string[] = [];
  let wake: () => void = () => undefined;
  const take = (line: string) => {
    seen.push(line);
    if (logFile !== undefined) appendFileSync(logFile, `${line}\n`);
    wake();
  };
  const processes = superviseProcesses(specs, { onLine: (_, line) => take(line), log: take });
  return {
    processes,
    line: async (name, part) => {
      const deadline = performance.now() + DEADLINE_MS;
      while (!seen.some((line) => line.includes(part))) {
        if (performance.now() > deadline)
          throw new Error(`${name} never said "${part}":\n${seen.slice(-5).join('\n')}`);
        await Promise.race([new Promise<void>((resolve) => (wake = resolve)), delay(1_000, undefined, { ref: false })]);
      }
    },
  };
}

/** Stops with wall time and CPU time of the servers and the named processes. */
function startClock(stack: BenchStack, processes: Pick<Processes, 'pid'>, names: readonly string[]) {
  const pids = new Map(stack.serverPids());
  for (const name of names) {
    const pid = processes.pid(name);
    if (pid !== undefined) pids.set(name, pid);
  }
  const before = readCpuSeconds(pids);
  const start = performance.now();
  return () => {
    const seconds = (performance.now() - start) / 1000;
    return { seconds, cpuSeconds: subtract(readCpuSeconds(pids), before) };
  };
}

type RoundDatabases = { readonly name: string; readonly postgresUrl: string; readonly clickhouseUrl: string };

async function createRoundDatabases({ env }: BenchStack): Promise<RoundDatabases> {
  const name = `round_${Date.now().toString(36)}`;
  const admin = createPostgres<object>(env['TRUEUP_POSTGRES_URL'] ?? '');
  await sql`CREATE DATABASE ${sql.id(name)}`.execute(admin);
  await admin.destroy();
  const url = new URL(env['TRUEUP_POSTGRES_URL'] ?? '');
  url.pathname = `/${name}`;
  const clickhouseUrl = env['TRUEUP_CLICKHOUSE_URL'] ?? '';
  await migrate({ postgresUrl: url.toString(), clickhouseUrl, clickhouseDatabase: name });
  return { name, postgresUrl: url.toString(), clickhouseUrl };
}

/** Every partition is stored to its end and no block waits for the rollup worker. */
async function untilRolledUp(postgresUrl: string, ends: readonly bigint[]): Promise<void> {
  const postgres = createPostgres<object>(postgresUrl);
  const total = String(ends.reduce((sum, end) => sum + end, 0n));
  const deadline = performance.now() + DEADLINE_MS;
  try {
    for (;;) {
      const { rows } = await sql<{ stored: string; waiting: string }>`
        SELECT coalesce(sum(stored), 0)::text AS stored, coalesce(sum(waiting), 0)::text AS waiting FROM (
          SELECT max(end_offset) AS stored, count(*) FILTER (WHERE rolled_up_run IS NULL) AS waiting
          FROM ingest_blocks GROUP BY partition
        ) AS partitions`.execute(postgres);
      if (rows[0]?.stored === total && rows[0].waiting === '0') return;
      if (performance.now() > deadline) throw new Error(`rolled up ${JSON.stringify(rows[0])} of ${total} messages`);
      await delay(POLL_MS);
    }
  } finally {
    await postgres.destroy();
  }
}

async function fetchMinute(clickhouse: ClickHouse, minuteMs: number): Promise<void> {
  const rows = await clickhouse.query<{ events: string }>(
    `SELECT sum(events) AS events FROM ${CLICKHOUSE_TABLES.usageMinute} FINAL WHERE minute = {minute:DateTime('UTC')}`,
    { minute: minuteMs / 1000 },
  );
  if (Number(rows[0]?.events) === 0) throw new Error('the last minute has no rollup');
}

/** A fast wrong answer is not a result. */
async function checkTotals(clickhouse: ClickHouse, { totals }: FilledTopic): Promise<void> {
  const table = CLICKHOUSE_TABLES.usageDay;
  const [row] = await clickhouse.query<{ events: string }>(`SELECT sum(events) AS events FROM ${table} FINAL`);
  if (Number(row?.events) !== totals.unique) {
    throw new Error(`Trueup rolled up ${row?.events ?? 'no'} events of ${totals.unique} distinct ones`);
  }
}

/** The engine's own counters since its start. */
async function fetchEngineEvents(clickhouse: ClickHouse): Promise<Map<string, number>> {
  const rows = await clickhouse.query<{ event: string; value: string }>('SELECT event, value FROM system.events');
  return new Map(rows.map(({ event, value }) => [event, Number(value)]));
}

async function readBytesOnDisk(clickhouse: ClickHouse, database: string): Promise<Record<string, number>> {
  const rows = await clickhouse.query<{ table: string; bytes: string }>(
    'SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = {database:String} GROUP BY table',
    { database },
  );
  return Object.fromEntries(rows.map(({ table, bytes }) => [table, Number(bytes)]));
}
