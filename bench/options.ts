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
};

export const PIPELINE_USAGE = `npm run bench -- pipeline [options]
  --events N      messages in the topic              (default 1500000)
  --rounds N      rounds of all contenders           (default 5)
  --namespaces N  namespaces they belong to          (default 10000)
  --minutes N     usage time they span               (default 15)
  --quick         200000 events, 2 rounds: does it run, not how fast
  --keep          leave the filled topic for the next run
  --only a,b      bare, tsv, trueup, passThrough
  --name NAME     name of the results file           (default: the date)
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
    },
  });
  return {
    events: atLeast('events', values.events ?? (values.quick ? '200000' : '1500000'), 10_000),
    rounds: atLeast('rounds', values.rounds ?? (values.quick ? '2' : '5'), 1),
    namespaces: atLeast('namespaces', values.namespaces, 1),
    minutes: atLeast('minutes', values.minutes, 1),
    keep: values.keep,
    profile: values.profile,
    only: values.only.split(','),
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
