// The processes that read the topic: Trueup's stages as they run in production, and the pass-through consumer.
// The clock of a run starts when the reader has joined its group and stops when its result can be queried: starting a
// process is not part of what is measured, warming up is.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLICKHOUSE_TABLES } from '../domain/contracts/tables.ts';
import { sinkGroupOf } from '../ingest/sink.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import { readCpuSeconds, subtract } from './cpu.ts';
import { createPlainTable } from './plain-table.ts';
import type { BenchStack } from './servers.ts';
import { ROOT, startProcesses, startStages } from './stages.ts';
import type { FilledTopic } from './topic.ts';

export type Run = {
  readonly seconds: number;
  /** CPU seconds by process, its children included. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
  readonly bytesOnDisk: Readonly<Record<string, number>>;
};

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
    const clock = startClock(stack, new Map([['passThrough', reader.processes.pid('passThrough') ?? 0]]));
    await reader.line('passThrough', 'done');
    const taken = clock();
    return { ...taken, bytesOnDisk: await readBytesOnDisk(clickhouse, stack.database) };
  } finally {
    await reader.processes.stop();
  }
}

/** Options of a run of the stages. */
export type TrueupOptions = {
  /** Write CPU profiles and logs of the stages here. */
  readonly profile?: string | undefined;
  /** Sinks in the group, one by default. */
  readonly sinks?: number;
};

export async function runTrueup(stack: BenchStack, filled: FilledTopic, options: TrueupOptions = {}): Promise<Run> {
  const { profile, sinks = 1 } = options;
  await stack.kafka.rewindGroup(sinkGroupOf(filled.topic), filled.topic);
  const stages = await startStages(stack, { topic: filled.topic, profile, sinks });
  const { clickhouse } = stages;
  try {
    const events = await fetchEngineEvents(clickhouse);
    const ends = await stack.kafka.fetchEndOffsets(filled.topic);
    const clock = startClock(stack, stages.pids);
    await stages.untilMinutesHold(Number(ends.reduce((sum, end) => sum + end, 0n)));
    await fetchMinute(clickhouse, filled.totals.lastMinuteMs);
    const taken = clock();
    await checkTotals(clickhouse, CLICKHOUSE_TABLES.usageMinute, filled);
    await stages.untilRolledUp(ends);
    if (profile !== undefined) {
      const spent = subtract(await fetchEngineEvents(clickhouse), events);
      writeFileSync(join(profile, 'engine-events.json'), JSON.stringify(spent, undefined, 1));
    }
    const bytesOnDisk = await readBytesOnDisk(clickhouse, stages.database);
    await checkTotals(clickhouse, CLICKHOUSE_TABLES.usageDay, filled);
    return { ...taken, bytesOnDisk };
  } finally {
    await stages.stop();
  }
}

/** Stops with wall time and CPU time of the servers and the named processes. */
function startClock(stack: BenchStack, own: ReadonlyMap<string, number>) {
  const pids = new Map([...stack.serverPids(), ...own]);
  const before = readCpuSeconds(pids);
  const start = performance.now();
  return () => {
    const seconds = (performance.now() - start) / 1000;
    return { seconds, cpuSeconds: subtract(readCpuSeconds(pids), before) };
  };
}

async function fetchMinute(clickhouse: ClickHouse, minuteMs: number): Promise<void> {
  const rows = await clickhouse.query<{ events: string }>(
    `SELECT sum(events) AS events FROM ${CLICKHOUSE_TABLES.usageMinute} FINAL WHERE minute = {minute:DateTime('UTC')}`,
    { minute: minuteMs / 1000 },
  );
  if (Number(rows[0]?.events) === 0) throw new Error('the last minute has no rollup');
}

/** A fast wrong answer is not a result: count and total, to the last unit. */
async function checkTotals(clickhouse: ClickHouse, table: string, { totals }: FilledTopic): Promise<void> {
  const [row] = await clickhouse.query<{ events: string; units: string }>(
    `SELECT sum(events) AS events, toString(sum(quantity)) AS units FROM ${table} FINAL`,
  );
  if (row?.events !== String(totals.unique) || row.units !== String(totals.units)) {
    const found = `${row?.events ?? 'no'} events of ${row?.units ?? 'no'} units`;
    throw new Error(`${table} holds ${found}; sent were ${totals.unique} of ${totals.units}`);
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
