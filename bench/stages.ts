// Trueup's stages as they run in production, on databases of their own, and the processes of other readers.

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { createClickHouse, type ClickHouse } from '../platform/clickhouse.ts';
import { migrate } from '../platform/migrate.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import { superviseProcesses, type Processes, type ProcessSpec } from '../stack/processes.ts';
import type { BenchStack } from './servers.ts';

export type Stages = {
  readonly database: string;
  readonly clickhouse: ClickHouse;
  readonly pids: ReadonlyMap<string, number>;
  /** Resolves when the rollup worker has written the minutes of so many accepted events, copies included. */
  untilMinutesHold(events: number): Promise<void>;
  /** Resolves when every partition is stored to its end and no block waits for the rollup worker: hours and days are there too. */
  untilRolledUp(ends: readonly bigint[]): Promise<void>;
  /** Messages stored so far. */
  countStored(): Promise<number>;
  /** Ends the processes and drops the databases. */
  stop(): Promise<void>;
};

export type StagesOptions = {
  readonly topic: string;
  readonly sinks?: number;
  /** Write CPU profiles and logs of the stages here. */
  readonly profile?: string | undefined;
};

export const ROOT = join(import.meta.dirname, '..');

const POLL_MS = 20;
const DEADLINE_MS = 120_000;

/** Resolves when the rollup worker runs and every sink has joined its group. */
export async function startStages(stack: BenchStack, { topic, sinks = 1, profile }: StagesOptions): Promise<Stages> {
  const databases = await createRoundDatabases(stack);
  const variables: Record<string, string> = {
    ...stack.env,
    TRUEUP_POSTGRES_URL: databases.postgresUrl,
    TRUEUP_CLICKHOUSE_DATABASE: databases.name,
    TRUEUP_TOPIC: topic,
    ...(profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` }),
  };
  const started: { name: string; reader: Reader }[] = [];
  const start = async (name: string, stage: string, says: string) => {
    const spec = { name, file: join(ROOT, stage, 'main.ts'), env: variables };
    const reader = startProcesses([spec], profile === undefined ? undefined : join(profile, `${name}.log`));
    started.push({ name, reader });
    await reader.line(name, says);
    return reader;
  };
  const clickhouse = createClickHouse({ url: databases.clickhouseUrl, database: databases.name });
  const stop = async () => {
    for (const { reader } of started) await reader.processes.stop();
    await clickhouse.command(`DROP DATABASE ${databases.name} SYNC`);
    await clickhouse.close();
  };
  let rollup: Reader;
  try {
    rollup = await start('aggregate', 'aggregate', 'rollup worker is running');
    const names = sinks === 1 ? ['ingest'] : Array.from({ length: sinks }, (_, index) => `ingest-${index + 1}`);
    await Promise.all(names.map(async (name) => start(name, 'ingest', `"topic":"${topic}","msg":"reading"`)));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    database: databases.name,
    clickhouse,
    pids: new Map(started.map(({ name, reader }) => [name, reader.processes.pid(name) ?? 0])),
    untilMinutesHold: async (events) =>
      rollup.until('aggregate', `minutes of ${events} events`, (lines) => sumOfPasses(lines) >= events),
    untilRolledUp: async (ends) => untilRolledUp(databases.postgresUrl, ends),
    countStored: async () => Number((await withPostgres(databases.postgresUrl, fetchProgress)).stored),
    stop,
  };
}

export type Reader = {
  readonly processes: Processes;
  /** Resolves when a line with this part was printed. */
  line(name: string, part: string): Promise<void>;
  /** Resolves when what was printed so far is enough. */
  until(name: string, what: string, isEnough: (lines: readonly string[]) => boolean): Promise<void>;
};

export function startProcesses(specs: readonly ProcessSpec[], logFile?: string): Reader {
  const seen: string[] = [];
  let wake: () => void = () => undefined;
  const take = (line: string) => {
    seen.push(line);
    if (logFile !== undefined) appendFileSync(logFile, `${line}\n`);
    wake();
  };
  const processes = superviseProcesses(specs, { onLine: (_, line) => take(line), log: take });
  const until: Reader['until'] = async (name, what, isEnough) => {
    const deadline = performance.now() + DEADLINE_MS;
    while (!isEnough(seen)) {
      if (performance.now() > deadline) throw new Error(`${name} never said ${what}:\n${seen.slice(-5).join('\n')}`);
      await Promise.race([new Promise<void>((resolve) => (wake = resolve)), delay(1_000, undefined, { ref: false })]);
    }
  };
  return {
    processes,
    line: async (name, part) => until(name, `"${part}"`, (lines) => lines.some((line) => line.includes(part))),
    until,
  };
}

/** Each pass says of how many events it has just written the minutes, each event once. */
function sumOfPasses(lines: readonly string[]): number {
  const passes = lines.filter((line) => line.includes('"msg":"rolled up"'));
  return passes.reduce((sum, line) => sum + (JSON.parse(line) as { events: number }).events, 0);
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
  const total = String(ends.reduce((sum, end) => sum + end, 0n));
  const deadline = performance.now() + DEADLINE_MS;
  await withPostgres(postgresUrl, async (postgres) => {
    for (;;) {
      const progress = await fetchProgress(postgres);
      if (progress.stored === total && progress.waiting === '0') return;
      if (performance.now() > deadline) throw new Error(`rolled up ${JSON.stringify(progress)} of ${total} messages`);
      await delay(POLL_MS);
    }
  });
}

async function withPostgres<T>(url: string, work: (postgres: Postgres<object>) => Promise<T>): Promise<T> {
  const postgres = createPostgres<object>(url);
  try {
    return await work(postgres);
  } finally {
    await postgres.destroy();
  }
}

type Progress = { readonly stored: string; readonly waiting: string };

async function fetchProgress(postgres: Postgres<object>): Promise<Progress> {
  const { rows } = await sql<Progress>`
    SELECT coalesce(sum(stored), 0)::text AS stored, coalesce(sum(waiting), 0)::text AS waiting FROM (
      SELECT max(end_offset) AS stored, count(*) FILTER (WHERE rolled_up_run IS NULL) AS waiting
      FROM ingest_blocks GROUP BY partition
    ) AS partitions`.execute(postgres);
  return rows[0] ?? { stored: '0', waiting: '0' };
}
