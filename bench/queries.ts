// How long usage takes to read, and how that grows with the number of tenants: the usage door's own reads over a month of
// rollups, filled by the engine itself. A hundred tenants are busy every hour, the others one hour in eight; the last day
// was rolled up again, so that there is something to replace.

import { createUsageReads, type UsageReads } from '../aggregate/reads.ts';
import { parsePeriod } from '../domain/period.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import { migrate } from '../platform/migrate.ts';
import { readCpuSeconds } from './cpu.ts';
import { parseQueriesOptions } from './options.ts';
import { formatTable, roundTo, recordResults } from './results.ts';
import { startBenchStack, type BenchStack } from './servers.ts';

type Read = {
  readonly name: string;
  readonly times: number;
  run(reads: UsageReads, tenant: number): Promise<unknown[]>;
};

type Times = {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Engine and reader together, on average: what load from elsewhere does not change. */
  readonly cpuMs: number;
};

type Measured = { readonly tenants: number; readonly times: Readonly<Record<string, Times>> };

const MONTH = parsePeriod('2026-10');
const DAYS = 31;
const BUSY_TENANTS = 100;
const READS: readonly Read[] = [
  { name: 'accountMonth', times: 300, run: async (reads, n) => reads.fetchAccountDays(`acct-${n}`, MONTH) },
  { name: 'namespaceHour', times: 300, run: async (reads, n) => reads.fetchNamespaceHours(`prod.acct-${n}`, MONTH) },
  { name: 'topAccounts', times: 20, run: async (reads) => reads.fetchTopAccounts('actions', MONTH, 100) },
  { name: 'periodTotals', times: 20, run: async (reads) => reads.fetchPeriodTotals(MONTH) },
];

export async function benchQueries(args: readonly string[]): Promise<void> {
  const options = parseQueriesOptions(args);
  const stack = await startBenchStack(false);
  try {
    const measured: Measured[] = [];
    for (const tenants of options.tenants) measured.push(await measureAt(stack, tenants));
    report(measured, options.name);
  } finally {
    await stack.stop();
  }
}

async function measureAt(stack: BenchStack, tenants: number): Promise<Measured> {
  const { clickhouse, env } = stack;
  await migrate({
    postgresUrl: env['TRUEUP_POSTGRES_URL'] ?? '',
    clickhouseUrl: env['TRUEUP_CLICKHOUSE_URL'] ?? '',
    clickhouseDatabase: stack.database,
  });
  await fillRollups(clickhouse, tenants);
  await stack.untilQuiet();
  const reads = createUsageReads({ clickhouse });
  const times: Record<string, Times> = {};
  for (const read of READS) times[read.name] = await timeRead(read, { reads, tenants, pids: stack.serverPids() });
  console.log(`${tenants} tenants: ${READS.map(({ name }) => `${name} ${formatTimes(times[name])}`).join(', ')}`);
  return { tenants, times };
}

type Ground = { readonly reads: UsageReads; readonly tenants: number; readonly pids: ReadonlyMap<string, number> };

async function timeRead(read: Read, { reads, tenants, pids }: Ground): Promise<Times> {
  const engine = new Map([['engine', pids.get('clickhouse') ?? 0]]);
  const readCpuMs = () => {
    const { user, system } = process.cpuUsage();
    return 1000 * (readCpuSeconds(engine).get('engine') ?? 0) + (user + system) / 1000;
  };
  const taken: number[] = [];
  const warmUp = Math.ceil(read.times / 10);
  let beforeMs = readCpuMs();
  for (let turn = 0; turn < read.times + warmUp; turn += 1) {
    if (turn === warmUp) beforeMs = readCpuMs();
    // A stride that is prime to every number of tenants: all parts of the key are visited.
    const tenant = (turn * 7_919) % tenants;
    const start = performance.now();
    const rows = await read.run(reads, tenant);
    if (turn >= warmUp) taken.push(performance.now() - start);
    if (rows.length === 0)
      throw new Error(`${read.name} found nothing for tenant ${tenant}: the rollups are not filled`);
  }
  const cpuMs = (readCpuMs() - beforeMs) / read.times;
  taken.sort((a, b) => a - b);
  const at = (share: number) => taken[Math.min(taken.length - 1, Math.floor(taken.length * share))] ?? Number.NaN;
  return {
    p50Ms: roundTo(at(0.5), 2),
    p99Ms: roundTo(at(0.99), 2),
    cpuMs: roundTo(cpuMs, 1),
  };
}

/** One insert per day, as they would have come; the last day twice. */
async function fillRollups(clickhouse: ClickHouse, tenants: number): Promise<void> {
  await clickhouse.command('TRUNCATE TABLE usage_hour_v1 SYNC');
  await clickhouse.command('TRUNCATE TABLE usage_day_v1 SYNC');
  const days = [...Array.from({ length: DAYS }, (_, day) => day), DAYS - 1];
  for (const [run, day] of days.entries()) {
    const parameters = { day, run, tenants, busy: BUSY_TENANTS };
    await clickhouse.command(
      `INSERT INTO usage_hour_v1 (namespace, meter, hour, quantity, events, run)
       SELECT concat('prod.acct-', toString(tenant)), 'actions', toDateTime('2026-10-01 00:00:00', 'UTC') + at * 3600,
         10 + tenant % 1000, 1, {run:UInt64}
       FROM (SELECT intDiv(number, 24) AS tenant, {day:UInt32} * 24 + number % 24 AS at FROM numbers({tenants:UInt64} * 24))
       WHERE tenant < {busy:UInt64} OR (tenant + at) % 8 = 0`,
      parameters,
    );
    await clickhouse.command(
      `INSERT INTO usage_day_v1 (namespace, meter, day, quantity, events, run)
       SELECT concat('prod.acct-', toString(intDiv(number, 3))),
         ['actions', 'active_storage', 'retained_storage'][number % 3 + 1],
         toDate('2026-10-01') + {day:UInt32}, 10 + number % 1000, 3, {run:UInt64}
       FROM numbers({tenants:UInt64} * 3)`,
      parameters,
    );
  }
}

function report(measured: readonly Measured[], name: string | undefined): void {
  const head = ['p50 / p99 / CPU ms', ...measured.map(({ tenants }) => `${tenants} tenants`)];
  const rows = READS.map((read) => [read.name, ...measured.map(({ times }) => formatTimes(times[read.name]))]);
  console.log(`\n${formatTable(head, rows)}\n`);
  const last = measured.at(-1);
  const line = {
    accountMonthP99Ms: last?.times['accountMonth']?.p99Ms,
    namespaceHourP99Ms: last?.times['namespaceHour']?.p99Ms,
    growthPer10xTenants: computeGrowth(measured),
  };
  recordResults('queries', {
    name,
    line,
    measured,
  });
  console.log(JSON.stringify(line));
}

/** The worse of the first two reads: its median's growth per tenfold number of tenants, from the fewest to the most. */
function computeGrowth(measured: readonly Measured[]): number {
  const [least, most] = [measured[0], measured.at(-1)];
  if (least === undefined || most === undefined || least === most) return 1;
  const tenfolds = Math.log10(most.tenants / least.tenants);
  const growths = ['accountMonth', 'namespaceHour'].map((name) => {
    return ((most.times[name]?.p50Ms ?? Number.NaN) / (least.times[name]?.p50Ms ?? Number.NaN)) ** (1 / tenfolds);
  });
  return roundTo(Math.max(...growths), 2);
}

function formatTimes(times: Times | undefined): string {
  return [times?.p50Ms, times?.p99Ms, times?.cpuMs].map((ms) => ms?.toFixed(1) ?? '?').join(' / ');
}
