// How long it takes to reconcile a closed month: the real workflows and activities on a real Temporal, Postgres and
// ClickHouse, from opening the run to the written report, with a biller that answers from memory. Closing the usage itself
// (its barrier, its digest) is measured elsewhere; Stripe's rate limit is its own. Exit is an error when a run does not find
// exactly the accounts that were made to differ.

import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { DefaultLogger, NativeConnection, Runtime, type Worker } from '@temporalio/worker';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { createAccounts } from '../../accounts/door.ts';
import { createUsage, type UsageTables } from '../../aggregate/usage.ts';
import { WAITS } from '../../domain/contracts/waits.ts';
import { createClickHouse, type ClickHouse } from '../../platform/clickhouse.ts';
import { createLog } from '../../platform/log.ts';
import { migrate } from '../../platform/migrate.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { TASK_QUEUE } from '../../reconcile/activity-types.ts';
import type { Deps } from '../../reconcile/activities/deps.ts';
import type { ReconcileTables } from '../../reconcile/store/tables.ts';
import { createWorker } from '../../reconcile/worker.ts';
import type { reconcileRun } from '../../reconcile/workflows.ts';
import { startStack, type Stack } from '../../stack/stack.ts';
import { formatTable, roundTo, recordResults } from '../results.ts';
import { createSnapshotBiller } from './snapshot-biller.ts';
import { fetchSnapshot, fillAccounts, fillClosedMonth, PERIOD } from './world.ts';

export const RECONCILE_USAGE = `npm run bench:reconcile -- [options]
  --accounts N    accounts that are reconciled       (default 10000; a tenth of it is measured before)
  --events N      events behind their rollups        (default 100000000)
  --name NAME     name of the results file           (default: the date)`;

type Measured = {
  readonly accounts: number;
  readonly seconds: number;
  readonly peakMemoryMiB: number;
  readonly historyEventsMost: number;
  readonly billerCalls: number;
};

const HISTORY_EVENTS_MAX = 2_000;

export async function benchReconcile(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      accounts: { type: 'string', default: '10000' },
      events: { type: 'string', default: '100000000' },
      name: { type: 'string' },
    },
  });
  const [accounts, events] = [Number(values.accounts), BigInt(values.events)];
  if (!Number.isInteger(accounts) || accounts < 100) throw new Error('--accounts is a whole number of at least 100');
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const stack = await startStack({
    name: 'bench-reconcile',
    servers: ['clickhouse', 'postgres', 'temporal'],
    ignoreGiven: true,
  });
  try {
    const ground = await openGround(stack);
    const small = await measure(ground, Math.round(accounts / 10), events / 10n);
    const large = await measure(ground, accounts, events);
    await ground.close();
    report([small, large], events, values.name);
  } finally {
    await stack.stop();
  }
}

type Ground = {
  readonly postgresUrl: string;
  readonly clickhouseUrl: string;
  readonly clickhouse: ClickHouse;
  readonly connection: Connection;
  readonly native: NativeConnection;
  close(): Promise<void>;
};

const DATABASE = 'bench';

async function openGround(stack: Stack): Promise<Ground> {
  const postgresUrl = stack.env['TRUEUP_POSTGRES_URL'] ?? '';
  const clickhouseUrl = stack.env['TRUEUP_CLICKHOUSE_URL'] ?? '';
  const address = stack.env['TRUEUP_TEMPORAL_ADDRESS'] ?? '';
  const bootstrap = createClickHouse({ url: clickhouseUrl, database: 'default' });
  await bootstrap.command(`CREATE DATABASE IF NOT EXISTS ${DATABASE}`);
  await bootstrap.close();
  const clickhouse = createClickHouse({ url: clickhouseUrl, database: DATABASE });
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  return {
    postgresUrl,
    clickhouseUrl,
    clickhouse,
    connection,
    native,
    close: async () => {
      await connection.close();
      await native.close();
      await clickhouse.close();
    },
  };
}

/** A database of its own for each size: what a run has recorded is not deleted. */
async function createDatabase({ postgresUrl, clickhouseUrl }: Ground, name: string): Promise<string> {
  const admin = createPostgres(postgresUrl, 1);
  await sql`CREATE DATABASE ${sql.id(name)}`.execute(admin);
  await admin.destroy();
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  await migrate({ postgresUrl: url.toString(), clickhouseUrl, clickhouseDatabase: DATABASE });
  return url.toString();
}

async function measure(ground: Ground, accounts: number, events: bigint): Promise<Measured> {
  const { clickhouse, connection } = ground;
  const postgresUrl = await createDatabase(ground, `bench_${accounts}`);
  const namespace = `bench-${accounts}`;
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1 day') });
  const db = createPostgres<ReconcileTables>(postgresUrl, 8);
  const usageDb = createPostgres<UsageTables>(postgresUrl, 4);
  console.log(`filling ${accounts} accounts …`);
  await fillClosedMonth(clickhouse, accounts, events);
  await fillAccounts(db, accounts);
  const snapshot = await fetchSnapshot(clickhouse, accounts);
  const biller = createSnapshotBiller(snapshot, PERIOD);
  const deps: Deps = {
    db,
    usage: {
      ...createUsage({ clickhouse, db: usageDb, topic: 'none', fetchEndOffsets: async () => [] }),
      ...withoutTruth(events),
    },
    accounts: createAccounts(createPostgres(postgresUrl, 4)),
    billing: biller.billing,
    clock: { simulated: true, now: async () => PERIOD.endAtMs + WAITS.graceMs + WAITS.lateCollectionMs },
    log: createLog('bench', 'error'),
    codeVersion: 'bench',
  };
  const worker = await startWorker(ground.native, namespace, deps);
  const running = worker.run();
  const memory = watchMemory();
  const client = new Client({ connection, namespace });
  const startedAt = performance.now();
  const run = `bench-${PERIOD.key}-${accounts}`;
  const handle = await client.workflow.start<typeof reconcileRun>('reconcileRun', {
    workflowId: run,
    taskQueue: TASK_QUEUE,
    args: [{ periodKey: PERIOD.key }],
  });
  const result = await handle.result();
  const seconds = (performance.now() - startedAt) / 1000;
  const peakMemoryMiB = memory.stop();
  await checkFound(deps, run, snapshot.filter(({ differs }) => differs !== null).length);
  const historyEventsMost = await fetchLongestHistory(client);
  worker.shutdown();
  await running;
  console.log(`${accounts} accounts in ${seconds.toFixed(1)} s, report ${result.reportHash.slice(0, 16)}`);
  return { accounts, seconds, peakMemoryMiB, historyEventsMost, billerCalls: biller.calls() };
}

/** There are rollups and no events behind them here, so nothing is late and the log counts what it is said to hold. */
function withoutTruth(events: bigint): Partial<Deps['usage']> {
  return {
    takeBarrier: async () => [],
    closePeriod: async ({ key }) => ({ period: key, barrier: [], digest: 'bench', events }),
    recordAdjustments: async ({ key }) => ({ period: key, k: null, adjustments: [] }),
    fetchLateTotals: async () => [],
    fetchIngestCounts: async () => ({
      messages: events,
      accepted: events,
      rejected: 0n,
      rejectedByReason: {},
      conflicts: 0n,
      unique: events,
    }),
    fetchManifestEvents: async () => null,
    fetchShortSources: async () => [],
    fetchMiscounts: async () => ({ rollups: [], duplicates: [] }),
  };
}

/** A namespace that was just registered is known to the server's frontend a moment later. */
async function startWorker(connection: NativeConnection, namespace: string, deps: Deps): Promise<Worker> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await createWorker({ connection, namespace, deps });
    } catch (error) {
      if (attempt === 20) throw error;
      await pause(500);
    }
  }
}

async function checkFound(deps: Deps, run: string, differing: number): Promise<void> {
  const rows = await deps.db.selectFrom('breaks').select('account').distinct().where('run', '=', run).execute();
  const bad = await deps.db
    .selectFrom('run_accounts')
    .select('account')
    .where('run', '=', run)
    .where('state', 'in', ['open', 'failed', 'missing'])
    .execute();
  if (rows.length !== differing || bad.length > 0) {
    throw new Error(`${differing} accounts differ, ${rows.length} have breaks; ${bad.length} were not reconciled`);
  }
}

async function fetchLongestHistory(client: Client): Promise<number> {
  let most = 0;
  for await (const { historyLength } of client.workflow.list()) most = Math.max(most, historyLength);
  return most;
}

/** Resident memory of this process, which is the worker. */
function watchMemory(): { stop(): number } {
  let most = 0;
  const look = () => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  look();
  const timer = setInterval(look, 50);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.round(most / 2 ** 20);
    },
  };
}

function report(measured: readonly [Measured, Measured], events: bigint, name: string | undefined): void {
  const [small, large] = measured;
  const rows = measured.map((one) => [
    String(one.accounts),
    one.seconds.toFixed(1),
    (one.accounts / one.seconds).toFixed(0),
    String(one.peakMemoryMiB),
    String(one.historyEventsMost),
    String(one.billerCalls),
  ]);
  const head = ['accounts', 'seconds', 'accounts/s', 'peak MiB', 'longest history', 'biller calls'];
  console.log(`\n${formatTable(head, rows)}\n`);
  const tenfolds = Math.log10(large.accounts / small.accounts);
  const line = {
    accounts: large.accounts,
    events: Number(events),
    seconds: roundTo(large.seconds, 1),
    accountsPerSecond: roundTo(large.accounts / large.seconds, 0),
    peakMemoryMiB: large.peakMemoryMiB,
    growthPer10x: roundTo((large.seconds / small.seconds) ** (1 / tenfolds), 2),
  };
  recordResults('reconcile', {
    name,
    line,
    measured,
  });
  if (large.historyEventsMost > HISTORY_EVENTS_MAX) {
    throw new Error(`a history has ${large.historyEventsMost} events, ${HISTORY_EVENTS_MAX} are allowed`);
  }
  console.log(JSON.stringify(line));
}
