// How long after the broker's ack an event is in a minute rollup that can be queried, at parts of the measured capacity.
// Probes of namespaces of their own travel among the load; each is looked for until its first minute is there.

import { setTimeout as delay } from 'node:timers/promises';
import { CLICKHOUSE_TABLES } from '../domain/contracts/tables.ts';
import { identityKey } from '../domain/event.ts';
import { openDoor } from '../fixtures/dataplane/kafka.ts';
import { runTrueup } from './contenders.ts';
import { readCpuSeconds, subtract } from './cpu.ts';
import { generateEvents, type Message } from './events.ts';
import { parseFreshnessOptions, type FreshnessOptions } from './options.ts';
import { formatTable, roundTo, recordResults } from './results.ts';
import { startBenchStack, type BenchStack } from './servers.ts';
import { startStages, type Stages } from './stages.ts';
import { fillTopic, PARTITIONS } from './topic.ts';

const TICK_MS = 100;
const POLL_MS = 25;
/** Left out at the beginning: processes are cold and the first pass has the whole hour before it. */
const WARM_UP_SECONDS = 5;
const CATCH_UP_MS = 30_000;

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

export async function benchFreshness(args: readonly string[]): Promise<void> {
  const options = parseFreshnessOptions(args);
  const stack = await startBenchStack(options.keep);
  try {
    const capacity = options.capacity ?? (await measureCapacity(stack, options.namespaces));
    console.log(`capacity ${capacity} events/s`);
    const levels: Level[] = [];
    for (const share of options.shares) {
      levels.push(await measureLevel(stack, { ...options, share, rate: Math.round(capacity * share) }));
      await stack.untilQuiet();
    }
    report(options, capacity, levels);
  } finally {
    await stack.stop();
  }
}

/** The second of two runs over a filled topic: the first one warms the servers up. */
async function measureCapacity(stack: BenchStack, namespaces: number): Promise<number> {
  const messages = 1_500_000;
  const filled = await fillTopic(stack.kafka, brokersOf(stack), { messages, namespaces, minutes: 15 });
  await runTrueup(stack, filled);
  await stack.untilQuiet();
  const { seconds } = await runTrueup(stack, filled);
  return Math.round(messages / seconds);
}

type LevelOptions = FreshnessOptions & { readonly share: number; readonly rate: number };

async function measureLevel(stack: BenchStack, options: LevelOptions): Promise<Level> {
  const { share, rate, seconds } = options;
  const topic = `bench.fresh.${Math.round(share * 100)}-${Date.now().toString(36)}`;
  await stack.kafka.createTopic(topic, { partitions: PARTITIONS, config: { 'retention.ms': '-1' } });
  const stages = await startStages(stack, { topic });
  const door = await openDoor(brokersOf(stack).split(','));
  try {
    const load = composeLoad(options);
    const pids = new Map([...stack.serverPids(), ...stages.pids]);
    const before = readCpuSeconds(pids);
    const own = process.cpuUsage();
    const acked = new Map<string, number>();
    const seen = new Map<string, number>();
    const sending = send(load, async (messages) => door.insertMessages(topic, messages), acked);
    const watching = watch(stages, { load, seen, until: sending });
    const lastedMs = await sending;
    const { user, system } = process.cpuUsage(own);
    const cpuSeconds = { ...subtract(readCpuSeconds(pids), before), sender: (user + system) / 1e6 };
    await watching;
    const latencies = [...acked].flatMap(([probe, ackedMs]) => {
      const number = Number(probe.slice('probe-'.length, probe.indexOf('.')));
      return number * TICK_MS < WARM_UP_SECONDS * 1000 ? [] : [(seen.get(probe) ?? Number.POSITIVE_INFINITY) - ackedMs];
    });
    const sorted = latencies.sort((a, b) => a - b);
    const at = (part: number) =>
      Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? -1);
    const level = {
      share,
      wantedPerSecond: rate,
      sentPerSecond: Math.round((rate * seconds) / (lastedMs / 1000)),
      probes: sorted.length,
      p50Ms: at(0.5),
      p95Ms: at(0.95),
      p99Ms: at(0.99),
      mostMs: at(1),
      cpuSeconds,
    };
    console.log(
      `${Math.round(share * 100)} %: ${level.sentPerSecond} events/s, p50 ${level.p50Ms} ms, p99 ${level.p99Ms} ms`,
    );
    return level;
  } finally {
    await door.close();
    await stages.stop();
  }
}

type Load = { readonly startMs: number; readonly ticks: readonly Message[][] };

/** Everything is made before the first send: making it would cost what is measured. */
function composeLoad({ rate, seconds, namespaces }: LevelOptions): Load {
  const messages = Math.max(rate * seconds, 1);
  const startMs = Date.now() + 3_000 + Math.ceil(messages / 200);
  const ticks: Message[][] = Array.from({ length: Math.ceil((seconds * 1000) / TICK_MS) }, () => []);
  generateEvents({ messages, namespaces, minutes: seconds / 60, startMs }, (message) => {
    ticks[Math.floor((message.timestampMs - startMs) / TICK_MS)]?.push(message);
  });
  for (const [number, tick] of ticks.entries()) tick.push(composeProbe(number, startMs + number * TICK_MS));
  return { startMs, ticks };
}

function probeOf(number: number): string {
  return `probe-${number}.bench`;
}

function composeProbe(number: number, atMs: number): Message {
  const event = { subject: probeOf(number), source: '/bench', id: `p${number}` };
  const time = new Date(atMs).toISOString();
  const value = `{"specversion":"1.0","id":"${event.id}","source":"/bench","type":"query","subject":"${event.subject}","time":"${time}"}`;
  return { type: 'query', key: identityKey(event), value, timestampMs: atMs };
}

/** Sends every tick at its time, one after the other; resolves with how long it took. */
async function send(
  { startMs, ticks }: Load,
  insert: (messages: readonly Message[]) => Promise<void>,
  acked: Map<string, number>,
): Promise<number> {
  for (const [number, tick] of ticks.entries()) {
    const waitMs = startMs + (number + 1) * TICK_MS - Date.now();
    if (waitMs > 0) await delay(waitMs);
    await insert(tick);
    acked.set(probeOf(number), Date.now());
  }
  return Date.now() - startMs;
}

type Watch = { readonly load: Load; readonly seen: Map<string, number>; readonly until: Promise<number> };

async function watch({ clickhouse }: Stages, { load, seen, until }: Watch): Promise<void> {
  let endMs = Number.POSITIVE_INFINITY;
  void until.then(() => (endMs = Date.now() + CATCH_UP_MS));
  while (seen.size < load.ticks.length && Date.now() < endMs) {
    const rows = await clickhouse.query<{ namespace: string }>(
      `SELECT DISTINCT namespace FROM ${CLICKHOUSE_TABLES.usageMinute}
       WHERE toStartOfHour(minute) >= toStartOfHour(toDateTime({start:UInt32})) AND startsWith(namespace, 'probe-')`,
      { start: Math.floor(load.startMs / 1000) },
    );
    const nowMs = Date.now();
    for (const { namespace } of rows) if (!seen.has(namespace)) seen.set(namespace, nowMs);
    await delay(POLL_MS);
  }
}

function report(options: FreshnessOptions, capacity: number, levels: readonly Level[]): void {
  const rows = levels.map((level) => [
    `${Math.round(level.share * 100)} %`,
    ...[level.wantedPerSecond, level.sentPerSecond, level.p50Ms, level.p95Ms, level.p99Ms, level.mostMs].map(String),
  ]);
  const head = ['load', 'wanted/s', 'sent/s', 'p50 ms', 'p95 ms', 'p99 ms', 'most ms'];
  console.log(`\n${formatTable(head, rows)}\n`);
  const p99 = (share: number) => levels.find((level) => level.share === share)?.p99Ms ?? null;
  const line = { capacity, p99MsAt10: p99(0.1), p99MsAt50: p99(0.5), p99MsAt80: p99(0.8) };
  recordResults('freshness', {
    name: options.name,
    line,
    settings: { namespaces: options.namespaces, seconds: options.seconds, tickMs: TICK_MS, pollMs: POLL_MS },
    levels: levels.map((level) => ({
      ...level,
      cpuSeconds: Object.fromEntries(Object.entries(level.cpuSeconds).map(([name, s]) => [name, roundTo(s, 2)])),
    })),
  });
  console.log(JSON.stringify(line));
}

function brokersOf(stack: BenchStack): string {
  return stack.env['TRUEUP_KAFKA_BROKERS'] ?? '';
}
