// How fast usage gets from Kafka to durable, deduplicated and rolled up, against what the engine takes at best and what
// a consumer without promises reaches: alternating rounds over one topic, ratios within a round.

import type { ClickHouse } from '../platform/clickhouse.ts';
import { findBestSettings, runBare, type BareSettings, type InsertPiece } from './bare.ts';
import { runPassThrough, runTrueup, type Run } from './contenders.ts';
import { readCpuSeconds, subtract } from './cpu.ts';
import { parsePipelineOptions, type PipelineOptions } from './options.ts';
import { dropPlainTable, insertLines, insertTsv } from './plain-table.ts';
import { computeSpread, formatTable, roundTo, recordResults } from './results.ts';
import { startBenchStack, type BenchStack } from './servers.ts';
import { measureSinks } from './sinks.ts';
import { fillTopic, PARTITIONS, type FilledTopic } from './topic.ts';
import { toTsv } from './tsv.ts';

type Contender = { readonly name: string; run(): Promise<Run> };

type Round = Record<string, Run>;

export async function benchPipeline(args: readonly string[]): Promise<void> {
  const options = parsePipelineOptions(args);
  const stack = await startBenchStack(options.keep);
  try {
    await measure(stack, options);
  } finally {
    await stack.stop();
  }
}

async function measure(stack: BenchStack, options: PipelineOptions): Promise<void> {
  const { events: messages, namespaces, minutes } = options;
  console.log(`filling a topic with ${messages} messages of ${namespaces} namespaces …`);
  const brokers = stack.env['TRUEUP_KAFKA_BROKERS'] ?? '';
  const filled = await fillTopic(stack.kafka, brokers, { messages, namespaces, minutes });
  if (options.sinks.length > 0) {
    await measureSinks(stack, filled, options);
    return;
  }
  const { contenders, bareSettings } = await createContenders(stack, filled, options);
  const rounds: Round[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const taken: Round = {};
    // Each round begins with another one, so that none always follows the same neighbour.
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(round + turn) % contenders.length];
      if (contender === undefined) continue;
      taken[contender.name] = await contender.run();
      await dropPlainTable(stack.clickhouse);
      await stack.untilQuiet();
    }
    rounds.push(taken);
    const rates = contenders.map(({ name }) => `${name} ${thousands(messages / (taken[name]?.seconds ?? 0))}/s`);
    console.log(`round ${round + 1} of ${options.rounds}: ${rates.join(', ')}`);
  }
  report({ options, filled, bareSettings, rounds, names: contenders.map(({ name }) => name) });
}

async function createContenders(stack: BenchStack, filled: FilledTopic, { only, profile }: PipelineOptions) {
  const { clickhouse } = stack;
  const bareSettings: Record<string, BareSettings> = {};
  const bare = async (name: string, lines: Buffer, insert: InsertPiece): Promise<Contender[]> => {
    if (!only.includes(name)) return [];
    const settings = await findBestSettings(clickhouse, lines, insert);
    bareSettings[name] = settings;
    return [{ name, run: async () => measureBare(stack, async () => runBare(clickhouse, lines, settings, insert)) }];
  };
  const contenders: Contender[] = [
    ...(await bare('bare', filled.lines, insertLines)),
    { name: 'trueup', run: async () => runTrueup(stack, filled, { profile }) },
    { name: 'passThrough', run: async () => runPassThrough(stack, filled) },
    // For context: what the same rows take when somebody else has already parsed them.
    ...(await bare('tsv', only.includes('tsv') ? toTsv(filled.lines) : Buffer.alloc(0), insertTsv)),
  ];
  await dropPlainTable(clickhouse);
  return { contenders: contenders.filter(({ name }) => only.includes(name)), bareSettings };
}

async function measureBare(stack: BenchStack, insert: (clickhouse: ClickHouse) => Promise<number>): Promise<Run> {
  const pids = stack.serverPids();
  const before = readCpuSeconds(pids);
  const own = process.cpuUsage();
  const seconds = await insert(stack.clickhouse);
  const { user, system } = process.cpuUsage(own);
  const servers = subtract(readCpuSeconds(pids), before);
  return { seconds, cpuSeconds: { ...servers, bench: (user + system) / 1e6 }, bytesOnDisk: {} };
}

type Report = {
  readonly options: PipelineOptions;
  readonly filled: FilledTopic;
  readonly bareSettings: Readonly<Record<string, BareSettings>>;
  readonly rounds: readonly Round[];
  readonly names: readonly string[];
};

function report({ options, filled, bareSettings, rounds, names }: Report): void {
  const messages = options.events;
  const spread = (of: (round: Round) => number | undefined) =>
    computeSpread(rounds.map((round) => of(round) ?? Number.NaN));
  const rate = (name: string) => spread((round) => messages / (round[name]?.seconds ?? Number.NaN));
  const ratio = (name: string) => spread((round) => (round[name]?.seconds ?? 0) / (round['trueup']?.seconds ?? 0));
  const cpu = (name: string) => spread((round) => (sum(round[name]?.cpuSeconds) / messages) * 1_000_000);
  const cpuRatio = (name: string) => spread((round) => sum(round[name]?.cpuSeconds) / sum(round['trueup']?.cpuSeconds));
  const bytes = spread((round) => sum(round['trueup']?.bytesOnDisk) / filled.totals.unique);

  const rows = names.map((name) => {
    const { median, least, most } = rate(name);
    return [name, thousands(median), `${thousands(least)} … ${thousands(most)}`, cpu(name).median.toFixed(2)];
  });
  console.log(`\n${formatTable(['', 'events/s', 'range', 'CPU s per million'], rows)}\n`);
  for (const [label, name] of [
    ['R', 'bare'],
    ['vsPassThrough', 'passThrough'],
  ] as const) {
    const { median, least, most } = ratio(name);
    console.log(
      `${label.padEnd(14)} ${median.toFixed(3)}   (${least.toFixed(3)} … ${most.toFixed(3)}), by CPU time ${cpuRatio(name).median.toFixed(3)}`,
    );
  }
  const line = {
    bareEventsPerSecond: Math.round(rate('bare').median),
    trueupEventsPerSecond: Math.round(rate('trueup').median),
    passThroughEventsPerSecond: Math.round(rate('passThrough').median),
    R: roundTo(ratio('bare').median, 3),
    vsPassThrough: roundTo(ratio('passThrough').median, 3),
    cpuSecondsPerMillion: roundTo(cpu('trueup').median, 2),
    bytesPerEventOnDisk: roundTo(bytes.median, 1),
  };
  console.log();
  recordResults('pipeline', {
    name: options.name,
    line,
    settings: {
      messages,
      rounds: options.rounds,
      namespaces: options.namespaces,
      minutes: options.minutes,
      partitions: PARTITIONS,
      bytesPerEvent: roundTo(filled.bytesPerEvent, 1),
      uniqueEvents: filled.totals.unique,
      bare: bareSettings,
    },
    ratios: { R: ratio('bare'), vsPassThrough: ratio('passThrough') },
    // The same from CPU seconds, which other work on the machine disturbs less than the clock.
    ratiosByCpu: { R: cpuRatio('bare'), vsPassThrough: cpuRatio('passThrough') },
    rounds,
  });
  console.log(JSON.stringify(line));
}

function sum(values: Readonly<Record<string, number>> = {}): number {
  return Object.values(values).reduce((total, value) => total + value, 0);
}

function thousands(value: number): string {
  return `${Math.round(value / 1000)}k`;
}
