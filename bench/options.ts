// What `npm run bench` takes; every option has a default, and a wrong one says what would be right.

import { parseArgs } from 'node:util';

export type PipelineOptions = {
  readonly events: number;
  readonly rounds: number;
  readonly namespaces: number;
  readonly minutes: number;
  /** Leave the filled topic for the next run. */
  readonly keep: boolean;
  /** Write CPU profiles of Trueup's processes here. */
  readonly profile: string | undefined;
  /** Contenders to run; all of them by default. */
  readonly only: readonly string[];
  readonly name: string | undefined;
  /** Sizes of the group to compare; empty: compare the contenders. */
  readonly sinks: readonly number[];
};

export const PIPELINE_USAGE = `npm run bench -- pipeline [options]
  --events N      messages in the topic              (default 5000000)
  --rounds N      rounds of all contenders           (default 5)
  --namespaces N  namespaces they belong to          (default 10000)
  --minutes N     usage time they span               (default 15)
  --quick         200000 events, 2 rounds: does it run, not how fast
  --keep          leave the filled topic for the next run
  --only a,b      bare, tsv, trueup, passThrough
  --name NAME     name of the results file           (default: the date)
  --sinks 1,2,4   instead of contenders, so many sinks in one group, 3 rounds
  --profile DIR   write CPU profiles and logs of the stages there`;

/** Throws an Error whose message is fit to be shown. */
export function parsePipelineOptions(args: readonly string[]): PipelineOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string' },
      rounds: { type: 'string' },
      namespaces: { type: 'string', default: '10000' },
      minutes: { type: 'string', default: '15' },
      quick: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      only: { type: 'string', default: 'bare,tsv,trueup,passThrough' },
      name: { type: 'string' },
      profile: { type: 'string' },
      sinks: { type: 'string' },
    },
  });
  return {
    events: atLeast('events', values.events ?? (values.quick ? '200000' : '5000000'), 10_000),
    rounds: atLeast('rounds', values.rounds ?? (values.quick ? '2' : values.sinks === undefined ? '5' : '3'), 1),
    namespaces: atLeast('namespaces', values.namespaces, 1),
    minutes: atLeast('minutes', values.minutes, 1),
    keep: values.keep,
    profile: values.profile,
    only: values.only.split(','),
    name: values.name,
    sinks: (values.sinks?.split(',') ?? []).map((text) => atLeast('sinks', text, 1)),
  };
}

export type FreshnessOptions = {
  /** Of the capacity. */
  readonly shares: readonly number[];
  /** Events a second; measured when left out. */
  readonly capacity: number | undefined;
  readonly seconds: number;
  readonly namespaces: number;
  readonly keep: boolean;
  /** Write CPU profiles and logs of Trueup's processes here, a folder a level. */
  readonly profile: string | undefined;
  readonly name: string | undefined;
};

export const FRESHNESS_USAGE = `npm run bench -- freshness [options]
  --percent a,b   parts of the capacity              (default 10,50,80)
  --capacity N    events a second; measured when left out
  --seconds N     of load at each level              (default 75)
  --namespaces N  namespaces they belong to          (default 10000)
  --quick         10 percent of 50000 events a second for 10 seconds
  --keep          leave the filled topic for the next run
  --name NAME     name of the results file           (default: the date)
  --profile DIR   write CPU profiles and logs of the stages there, a folder for each level`;

/** Throws an Error whose message is fit to be shown. */
export function parseFreshnessOptions(args: readonly string[]): FreshnessOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      percent: { type: 'string' },
      capacity: { type: 'string' },
      seconds: { type: 'string' },
      namespaces: { type: 'string', default: '10000' },
      quick: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      name: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const percent = values.percent ?? (values.quick ? '10' : '10,50,80');
  const capacity = values.capacity ?? (values.quick ? '50000' : undefined);
  return {
    shares: percent.split(',').map((text) => atLeast('percent', text, 1) / 100),
    capacity: capacity === undefined ? undefined : atLeast('capacity', capacity, 1_000),
    seconds: atLeast('seconds', values.seconds ?? (values.quick ? '10' : '75'), 6),
    namespaces: atLeast('namespaces', values.namespaces, 1),
    keep: values.keep,
    profile: values.profile,
    name: values.name,
  };
}

export type QueriesOptions = { readonly tenants: readonly number[]; readonly name: string | undefined };

export const QUERIES_USAGE = `npm run bench -- queries [options]
  --tenants a,b   numbers of tenants to measure at   (default 1000,10000,100000)
  --quick         1000 and 10000 tenants
  --name NAME     name of the results file           (default: the date)`;

/** Throws an Error whose message is fit to be shown. */
export function parseQueriesOptions(args: readonly string[]): QueriesOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { tenants: { type: 'string' }, quick: { type: 'boolean', default: false }, name: { type: 'string' } },
  });
  const tenants = values.tenants ?? (values.quick ? '1000,10000' : '1000,10000,100000');
  return { tenants: tenants.split(',').map((text) => atLeast('tenants', text, 200)), name: values.name };
}

function atLeast(name: string, text: string, least: number): number {
  if (!/^\d+$/.test(text) || Number(text) < least) throw new Error(`--${name} must be a whole number from ${least}`);
  return Number(text);
}
