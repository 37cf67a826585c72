// trueup integrity: one run of the continuous proof, what stands (exit code 1 says that something stands open), the
// restoration of what the engine lost, and reading the log again for whatever else is missing or was changed.

import { parseArgs } from 'node:util';
import { fetchFindings, type Finding } from '../aggregate/integrity/findings.ts';
import { FINDING_RULES } from '../domain/contracts/integrity-findings.ts';
import { restoreLostParts, type Rewind } from '../aggregate/integrity/restore.ts';
import { runIntegrity } from '../aggregate/integrity/run.ts';
import { beginClickHouseRecovery } from '../aggregate/recovery/recover.ts';
import { parsePeriod, toIso } from '../domain/period.ts';
import { manifestGroupOf } from '../ingest/manifests.ts';
import { sinkGroupOf } from '../ingest/sink.ts';
import { UsageError, type CommandContext, type Run } from './command.ts';
import { parseInstant, required } from './desk.ts';
import { withStores, type Stores } from './stores.ts';

export const run: Run = async ([action, ...args], context) => {
  const { values } = parseArgs({
    args,
    options: {
      full: { type: 'string' },
      since: { type: 'string' },
      all: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  if (action === 'restore') return withStores(context, async (stores) => restore(stores, context));
  if (action === 'reread') {
    const sinceMs = parseInstant('--since', required(values.since, '--since', 'is the arrival to read again from'));
    return withStores(context, async (stores) => reread(stores, context, sinceMs));
  }
  if (action !== 'run' && action !== 'list') throw new UsageError('say run, list, restore or reread');
  const full = values.full === undefined ? undefined : parsePeriod(values.full);
  return withStores(context, async ({ deps, nowMs }) => {
    let failed = 0;
    if (action === 'run') {
      const done = await runIntegrity(deps, { nowMs, ...(full === undefined ? {} : { full }) });
      context.warn(`looked at ${done.checks.join(', ')}`);
      for (const { check, error } of done.failed) context.warn(`could not look at ${check}: ${error}`);
      failed = done.failed.length;
    }
    const findings = await fetchFindings(deps.db, values.all);
    for (const finding of findings) {
      context.print(values.json ? JSON.stringify(finding) : describe(finding));
    }
    const open = findings.filter(({ state }) => state === 'OPEN').length;
    const suspected = findings.filter(({ state }) => state === 'SUSPECTED').length;
    context.warn(`${open} open, ${suspected} suspected (seen once; run again)`);
    return open > 0 || failed > 0 ? 1 : 0;
  });
};

async function restore(stores: Stores, context: CommandContext): Promise<number> {
  const { lost, from, to, closedAgain } = await restoreLostParts(stores.deps, rewindOf(stores));
  for (const { table, part, message } of lost) context.print(`set aside: ${table} ${part} (${message})`);
  for (const period of closedAgain)
    context.print(`written again, with the digest on record: closed totals of ${period}`);
  if (lost.length === 0) context.warn('every part can be read');
  if (to.length === 0) return 0;
  context.print(`to be read again: from ${from.join(',')} to ${to.join(',')}`);
  context.warn(
    'start the sinks; nothing is closed or adjusted before they are there ("trueup period status" says how far)',
  );
  context.warn('then run this once more, and "trueup period explain" for each closed month that lost something');
  return 0;
}

/** What is read again is stored and rolled up again, and counts once. Refused while a sink runs. */
async function reread(stores: Stores, context: CommandContext, sinceMs: number): Promise<number> {
  const { from, to } = await beginClickHouseRecovery(stores.deps, rewindOf(stores), sinceMs);
  context.print(`to be read again: from ${from.join(',')} to ${to.join(',')}`);
  context.warn('start the sinks; nothing is closed or adjusted before they are there');
  context.warn('then run "trueup integrity run" until what was found is resolved');
  return 0;
}

function rewindOf({ kafka, topic, manifestTopic }: Stores): Rewind {
  return {
    usage: async (sinceMs) => kafka.rewindGroupSince(sinkGroupOf(topic), topic, sinceMs),
    manifests: async () => kafka.rewindGroup(manifestGroupOf(manifestTopic), manifestTopic),
  };
}

function describe({ kind, key, state, seen, firstSeenMs, evidence }: Finding): string {
  const { promise, meaning, next } = FINDING_RULES[kind];
  return [
    `${state} ${kind} ${key}  (${promise}, since ${toIso(firstSeenMs)}, seen ${seen} times)`,
    `  ${meaning}`,
    `  ${JSON.stringify(evidence)}`,
    `  next: ${next}`,
  ].join('\n');
}
