// How long after the broker's ack an event is in a minute rollup that can be queried, at parts of the measured capacity.
// Probes of namespaces of their own travel in the batches of the load; each is looked for until its minute is there.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CLICKHOUSE_TABLES } from '../domain/contracts/tables.ts';
import { retryUnavailable } from '../platform/retry.ts';
import { runTrueup } from './contenders.ts';
import { readCpuSeconds, subtract } from './cpu.ts';
import { startSender, type Sender, type Sent } from './load/start-sender.ts';
import { parseFreshnessOptions, type FreshnessOptions } from './options.ts';
import { formatTable, roundTo, recordResults } from './results.ts';
import { startBenchStack, type BenchStack } from './servers.ts';
import { startStages, type Stages } from './stages.ts';
import { fillTopic, PARTITIONS } from './topic.ts';

const POLL_MS = 50;
/** Probes sent before are left out: processes are cold. */
const WARM_UP_MS = 5_000;
const CATCH_UP_MS = 30_000;
const CAPACITY_SECONDS = 15;

type Level = {
  readonly share: number;
  readonly wantedPerSecond: number;
  readonly sentPerSecond: number;
  readonly probes: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly mostMs: number;
  readonly cpuSeconds: Readonly<Record<string, number>>;
};

type Capacity = { readonly drainedPerSecond?: number; readonly perSecond: number };

export async function benchFreshness(args: readonly string[]): Promise<void> {
  const options = parseFreshnessOptions(args);
  const stack = await startBenchStack(options.keep);
  try {
    const { capacity: given } = options;
    const capacity = given === undefined ? await measureCapacity(stack, options) : { perSecond: given };
    console.log(`capacity ${capacity.perSecond} events/s`);
    const levels: Level[] = [];
    for (const share of options.shares) {
      levels.push(await measureLevel(stack, { ...options, share, rate: Math.round(capacity.perSecond * share) }));
      await stack.untilQuiet();
    }
    report(options, capacity, levels);
  } finally {
    await stack.stop();
  }
}

/**
 * What the pipeline stores a second while events are sent faster than it can take them. The rate at which it works off a
 * filled topic would be more than it ever has: sending and taking in cost CPU time of the same machine.
 */
async function measureCapacity(stack: BenchStack, options: FreshnessOptions): Promise<Capacity> {
  const messages = 1_500_000;
  const { namespaces } = options;
  const filled = await fillTopic(stack.kafka, brokerOf(stack), { messages, namespaces, minutes: 15 });
  const { seconds } = await runTrueup(stack, filled);
  await stack.untilQuiet();
  const drainedPerSecond = Math.round(messages / seconds);
  const perSecond = await withLoad(
    stack,
    { ...options, rate: drainedPerSecond, seconds: CAPACITY_SECONDS },
    async (load) => {
      const { stages, sender } = load;
      await delay(WARM_UP_MS);
      const [before, startMs] = [await stages.countStored(), performance.now()];
      await sender.done;
      return Math.round(((await stages.countStored()) - before) / ((performance.now() - startMs) / 1000));
    },
  );
  return { drainedPerSecond, perSecond };
}

type LoadOptions = FreshnessOptions & { readonly rate: number };

type Load = { readonly stages: Stages; readonly sender: Sender };

async function withLoad<T>(stack: BenchStack, options: LoadOptions, work: (load: Load) => Promise<T>): Promise<T> {
  const { rate, seconds, namespaces } = options;
  const topic = `bench.fresh.${rate}-${Date.now().toString(36)}`;
  // A topic just made has no leaders for a moment.
  await retryUnavailable(async () =>
    stack.kafka.createTopic(topic, { partitions: PARTITIONS, config: { 'retention.ms': '-1' } }),
  );
  const profile = options.profile === undefined ? undefined : join(options.profile, String(rate));
  if (profile !== undefined) mkdirSync(profile, { recursive: true });
  const stages = await startStages(stack, { topic, profile });
  try {
    const broker = brokerOf(stack);
    const sender = await startSender({ broker, topic, partitions: PARTITIONS, namespaces, rate, seconds });
    try {
      return await work({ stages, sender });
    } finally {
      sender.stop();
    }
  } finally {
    await stages.stop();
  }
}

async function measureLevel(stack: BenchStack, options: LoadOptions & { readonly share: number }): Promise<Level> {
  const { share, rate } = options;
  return withLoad(stack, options, async ({ stages, sender }) => {
    const pids = new Map([...stack.serverPids(), ...stages.pids]);
    const before = readCpuSeconds(pids);
    const own = process.cpuUsage();
    const seen = new Map<number, number>();
    const watching = watch(stages, sender, seen);
    const sent = await sender.done;
    const { user, system } = process.cpuUsage(own);
    const cpuSeconds = {
      ...subtract(readCpuSeconds(pids), before),
      sender: sent.cpuSeconds,
      probing: (user + system) / 1e6,
    };
    await watching;
    const level = { share, wantedPerSecond: rate, ...summarize(sender, sent, seen), cpuSeconds };
    const { sentPerSecond, p50Ms, p99Ms } = level;
    console.log(`${Math.round(share * 100)} %: ${sentPerSecond} events/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms`);
    return level;
  });
}

function summarize({ startMs, acked }: Sender, { messages, tookMs }: Sent, seen: ReadonlyMap<number, number>) {
  const ages = [...acked]
    .filter(([, ackedMs]) => ackedMs >= startMs + WARM_UP_MS)
    .map(([probe, ackedMs]) => (seen.get(probe) ?? Number.POSITIVE_INFINITY) - ackedMs)
    .sort((a, b) => a - b);
  const at = (part: number) => Math.round(ages[Math.max(0, Math.ceil(ages.length * part) - 1)] ?? -1);
  const sentPerSecond = Math.round((messages / tookMs) * 1000);
  return { sentPerSecond, probes: ages.length, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), mostMs: at(1) };
}

/** Looks until every acknowledged probe was seen, and gives up on the rest some time after the last one was sent. */
async function watch(
  { clickhouse }: Stages,
  { startMs, acked, done }: Sender,
  seen: Map<number, number>,
): Promise<void> {
  let endMs = Number.POSITIVE_INFINITY;
  void done.then(() => (endMs = Date.now() + CATCH_UP_MS));
  while ((endMs === Number.POSITIVE_INFINITY || seen.size < acked.size) && Date.now() < endMs) {
    const rows = await clickhouse.query<{ namespace: string }>(
      `SELECT DISTINCT namespace FROM ${CLICKHOUSE_TABLES.usageMinute}
       WHERE toStartOfHour(minute) >= toStartOfHour(toDateTime({start:UInt32})) AND startsWith(namespace, 'probe-')`,
      { start: Math.floor(startMs / 1000) },
    );
    const nowMs = Date.now();
    for (const { namespace } of rows) {
      const number = Number(namespace.slice('probe-'.length, namespace.indexOf('.')));
      if (!seen.has(number)) seen.set(number, nowMs);
    }
    await delay(POLL_MS);
  }
}

function report(options: FreshnessOptions, capacity: Capacity, levels: readonly Level[]): void {
  const rows = levels.map((level) => [
    `${Math.round(level.share * 100)} %`,
    ...[level.wantedPerSecond, level.sentPerSecond, level.p50Ms, level.p95Ms, level.p99Ms, level.mostMs].map(String),
    coresOf(level, 'sender').toFixed(2),
    coresOf(level).toFixed(2),
  ]);
  const head = ['load', 'wanted/s', 'sent/s', 'p50 ms', 'p95 ms', 'p99 ms', 'most ms', 'sender cores', 'all cores'];
  console.log(`\n${formatTable(head, rows)}\n`);
  const p99 = (share: number) => levels.find((level) => level.share === share)?.p99Ms ?? null;
  const line = { capacity: capacity.perSecond, p99MsAt10: p99(0.1), p99MsAt50: p99(0.5), p99MsAt80: p99(0.8) };
  recordResults('freshness', {
    name: options.name,
    line,
    settings: { namespaces: options.namespaces, seconds: options.seconds, pollMs: POLL_MS, warmUpMs: WARM_UP_MS },
    capacity,
    levels: levels.map((level) => ({
      ...level,
      cpuSeconds: Object.fromEntries(Object.entries(level.cpuSeconds).map(([name, s]) => [name, roundTo(s, 2)])),
    })),
  });
  console.log(JSON.stringify(line));

  function coresOf({ cpuSeconds }: Level, only?: string): number {
    const all = Object.entries(cpuSeconds).filter(([name]) => only === undefined || name === only);
    return all.reduce((sum, [, seconds]) => sum + seconds, 0) / options.seconds;
  }
}

function brokerOf(stack: BenchStack): string {
  return stack.env['TRUEUP_KAFKA_BROKERS'] ?? '';
}
