// What more sinks in one group bring: the same filled topic moved by 1, 2, 4 … of them, each run checked to the last event
// and unit, with the share every process has of the CPU time, so that it shows what bounds the rate.

import { cpus } from 'node:os';
import { runTrueup, type Run } from './contenders.ts';
import type { PipelineOptions } from './options.ts';
import { computeSpread, formatTable, roundTo, recordResults } from './results.ts';
import type { BenchStack } from './servers.ts';
import type { FilledTopic } from './topic.ts';

export async function measureSinks(stack: BenchStack, filled: FilledTopic, options: PipelineOptions): Promise<void> {
  const runs: { sinks: number; run: Run }[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    for (const sinks of options.sinks) {
      const run = await runTrueup(stack, filled, { sinks });
      runs.push({ sinks, run });
      console.log(`${sinks} sinks: ${Math.round(options.events / run.seconds)} events/s, exact`);
      await stack.untilQuiet();
    }
  }
  const curve = options.sinks.map((sinks) => summarize(sinks, options.events, runs));
  const head = ['sinks', 'events/s', 'CPU s per million', 'of it sinks', 'engine', 'broker', 'cores busy'];
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  const rows = curve.map((point) => [
    String(point.sinks),
    String(point.eventsPerSecond),
    point.cpuSecondsPerMillion.toFixed(2),
    ...[point.shares.sinks, point.shares.engine, point.shares.broker, point.busy].map(percent),
  ]);
  console.log(`\n${formatTable(head, rows)}\n`);
  const last = curve.at(-1);
  if (last !== undefined) console.log(`bound by: ${describeBound(last)}`);
  const line = { exact: true, curve: curve.map(({ sinks, eventsPerSecond }) => ({ sinks, eventsPerSecond })) };
  recordResults('sinks', {
    name: options.name,
    line,
    settings: { messages: options.events, namespaces: options.namespaces, rounds: options.rounds },
    curve,
    runs,
  });
  console.log(JSON.stringify(line));
}

type Point = {
  readonly sinks: number;
  readonly eventsPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly shares: { readonly sinks: number; readonly engine: number; readonly broker: number };
  /** Of all cores, by the measured processes. */
  readonly busy: number;
};

function summarize(sinks: number, events: number, runs: readonly { sinks: number; run: Run }[]): Point {
  const own = runs.filter((one) => one.sinks === sinks).map(({ run }) => run);
  const median = (of: (run: Run) => number) => computeSpread(own.map(of)).median;
  const cpuOf = ({ cpuSeconds }: Run, named: (name: string) => boolean) =>
    Object.entries(cpuSeconds).reduce((sum, [name, seconds]) => sum + (named(name) ? seconds : 0), 0);
  const all = (run: Run) => cpuOf(run, () => true);
  const share = (named: (name: string) => boolean) =>
    roundTo(
      median((run) => cpuOf(run, named) / all(run)),
      3,
    );
  return {
    sinks,
    eventsPerSecond: Math.round(median(({ seconds }) => events / seconds)),
    cpuSecondsPerMillion: roundTo(
      median((run) => (all(run) / events) * 1e6),
      2,
    ),
    shares: {
      sinks: share((name) => name.startsWith('ingest')),
      engine: share((name) => name === 'clickhouse'),
      broker: share((name) => name === 'kafka'),
    },
    busy: roundTo(
      median((run) => all(run) / run.seconds / cpus().length),
      3,
    ),
  };
}

function describeBound({ busy, shares }: Point): string {
  const [largest] = Object.entries(shares).sort(([, a], [, b]) => b - a);
  const cores = cpus().length;
  const where = `the ${largest?.[0] ?? ''} take the most of it`;
  if (busy > 0.8) return `the ${cores} cores of this machine (${Math.round(busy * 100)} % busy); ${where}`;
  return `waiting, not by CPU (${cores} cores ${Math.round(busy * 100)} % busy): inserts that sync to disk, or other work`;
}
