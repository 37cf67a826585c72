// trueup period: where a billing period stands, closing it, what changed since, and whether its total can be computed
// again from the log or the archive. Everything here may be repeated; a close that died goes on where it stood.

import { parseArgs } from 'node:util';
import { recordAdjustments } from '../aggregate/adjustments.ts';
import { closePeriod, takeBarrier } from '../aggregate/close.ts';
import { explainPeriod, type Explanation, type ReadLog } from '../aggregate/explain/explain.ts';
import { planRetention, retainPeriod } from '../aggregate/retention/retain.ts';
import {
  fetchNamespaceDigests,
  fetchPeriodStatus,
  type NamespaceDigests,
  type PeriodStatus,
} from '../aggregate/status.ts';
import { parsePeriod, toIso, type Period } from '../domain/period.ts';
import { parseCaseKeys } from '../ingest/case.ts';
import { rereadLog } from '../ingest/reread.ts';
import { retryUnavailable } from '../platform/retry.ts';
import { UsageError, type CommandContext, type Run } from './command.ts';
import { toColumns } from './desk.ts';
import { toJson } from './json.ts';
import { withStores, type Stores } from './stores.ts';

type Options = {
  readonly json: boolean;
  readonly 'dry-run': boolean;
  readonly digests: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly 'wait-minutes'?: string;
};
type Desk = { readonly stores: Stores; readonly context: CommandContext; readonly options: Options };
type Action = (period: Period, desk: Desk) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = { status, close, explain, adjust, archive };

export const run: Run = async (args, context) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      digests: { type: 'boolean', default: false },
      from: { type: 'string' },
      to: { type: 'string' },
      'wait-minutes': { type: 'string' },
    },
  });
  const [name = '', key, ...rest] = positionals;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) throw new UsageError('say status, close, explain, adjust or archive');
  if (key === undefined || rest.length > 0) throw new UsageError('name one period, such as 2026-10');
  const period = parsePeriod(key);
  return withStores(context, async (stores) => action(period, { stores, context, options: values }));
};

async function status(period: Period, { stores, context, options }: Desk): Promise<number> {
  const found = await fetchPeriodStatus(stores.deps, period, stores.nowMs);
  const closed = options.digests ? await fetchNamespaceDigests(stores.deps, period) : null;
  if (options.json) context.print(toJson(closed === null ? found : { ...found, digests: closed.digests }));
  else for (const line of [...describeStatus(found), ...describeDigests(closed)]) context.print(line);
  const differs = closed !== null && !closed.agree;
  if (differs) context.warn(`the closed rows of ${period.key} do not come to the digest on record: explain it`);
  return found.coverage.state === 'gap' || differs ? 1 : 0;
}

async function close(period: Period, { stores, context, options }: Desk): Promise<number> {
  const { deps, nowMs } = stores;
  const barrier = await takeBarrier(deps, period, nowMs);
  context.warn(`barrier ${barrier.join(',')}`);
  const waitMinutes = Number(options['wait-minutes'] ?? '0');
  if (!Number.isInteger(waitMinutes) || waitMinutes < 0) throw new UsageError('--wait-minutes is a whole number');
  const closed = await retryUnavailable(async () => closePeriod(deps, period, nowMs), {
    signal: AbortSignal.timeout(waitMinutes * 60_000),
    maxDelayMs: 5_000,
    onRetry: (error) => context.warn(error instanceof Error ? error.message : String(error)),
  });
  context.print(
    options.json ? toJson(closed) : `${closed.period} is closed: ${closed.events} events, ${closed.digest}`,
  );
  return 0;
}

async function explain(period: Period, { stores, context, options }: Desk): Promise<number> {
  const { deps, kafka, topic } = stores;
  if (options.from !== undefined && !['log', 'truth'].includes(options.from)) {
    throw new UsageError('--from is log or truth; an archived period is always explained from its archive');
  }
  const fromLog = options.from !== 'truth';
  const cases = parseCaseKeys(context.env('TRUEUP_CASE_KEYS').TRUEUP_CASE_KEYS);
  const readLog: ReadLog = async (upTo, window, insert) => rereadLog({ kafka, topic, upTo, window, insert, cases });
  const found = await explainPeriod(deps, period, fromLog ? { readLog } : {});
  if (options.json) context.print(toJson(found));
  else for (const line of describeExplanation(found)) context.print(line);
  return found.agrees ? 0 : 1;
}

async function adjust(period: Period, { stores, context, options }: Desk): Promise<number> {
  const done = await recordAdjustments(stores.deps, period, await stores.deps.fetchEndOffsets());
  if (options.json) context.print(toJson(done));
  else if (done.k === null) context.print(`nothing changed about ${period.key} that is not posted already`);
  else for (const line of done.adjustments.map(describeAdjustment)) context.print(line);
  return 0;
}

async function archive(period: Period, { stores, context, options }: Desk): Promise<number> {
  const { deps, nowMs } = stores;
  if (options['dry-run']) {
    const plan = await planRetention(deps, period, nowMs);
    if (options.json) context.print(toJson(plan));
    else {
      context.print(
        `${plan.period}: ${plan.due ? 'due since' : 'due from'} ${toIso(plan.dueAtMs)}, archive ${plan.state}`,
      );
      context.print(`would archive ${plan.events} events and ${plan.conflicts} losing copies, then drop`);
      for (const { table, rows, bytes } of plan.partitions) context.print(`  ${table}: ${rows} rows, ${bytes} bytes`);
    }
    return 0;
  }
  if (options.to === undefined) throw new UsageError('name the archive folder with --to, or look first with --dry-run');
  const done = await retainPeriod(deps, period, { folder: options.to, nowMs, onStep: (step) => context.warn(step) });
  if (options.json) context.print(toJson(done));
  else {
    context.print(`${done.period} ${done.state} in ${done.folder}, digest ${done.digest ?? 'none'}`);
    for (const { name, rows, sha256 } of done.files) context.print(`  ${sha256}  ${rows} rows  ${name}`);
  }
  return 0;
}

function describeStatus(found: PeriodStatus): string[] {
  const { coverage, barrier, barrierAtMs, closedAtMs } = found;
  const behind = sumOf(found.lag);
  return [
    `${found.period}  ${found.state}`,
    `  barrier    ${barrierAtMs === null ? `from ${toIso(found.dueAtMs)}; the log ends at` : `${toIso(barrierAtMs)} at`} ${barrier.join(',')}`,
    `  stored     ${found.stored.join(',')}${behind === 0n ? '' : `, ${behind} records short of the barrier`}`,
    ...(barrierAtMs === null ? [] : [`  log        ${describeLogEnds(found)}`]),
    `  coverage   ${found.restoring ? 'lost parts are being restored: ' : ''}${describeCoverage(coverage)}`,
    `  closed     ${closedAtMs === null ? 'no' : `${toIso(closedAtMs)}, ${found.events ?? 0n} events`}`,
    `  digest     ${found.digest ?? 'none'}`,
    `  archive    ${found.archive ?? 'none'}`,
    `  adjusted   ${found.adjustments.length === 0 ? 'no' : ''}`,
    ...found.adjustments.map((one) => `    ${describeAdjustment(one)}`),
  ];
}

/** What came behind the barrier: usage of later periods, and late usage that becomes an adjustment. */
function describeLogEnds({ logEnds, beyond, beyondLag }: PeriodStatus): string {
  const [records, unstored] = [sumOf(beyond), sumOf(beyondLag)];
  if (records === 0n) return 'ends at the barrier';
  const rest = unstored === 0n ? '' : `, ${unstored} of them not stored yet`;
  return `ends at ${logEnds.join(',')}: ${records} records behind the barrier${rest}`;
}

function sumOf(records: readonly bigint[]): bigint {
  return records.reduce((sum, one) => sum + one, 0n);
}

function describeDigests(closed: NamespaceDigests | null): string[] {
  if (closed === null || closed.digests.length === 0) return [];
  const rows = closed.digests.map((one) => [one.namespace, one.meter, one.total, one.events, one.sum, one.xor]);
  return toColumns([['NAMESPACE', 'METER', 'TOTAL', 'EVENTS', 'SUM', 'XOR'], ...rows]);
}

function describeCoverage(coverage: PeriodStatus['coverage']): string {
  switch (coverage.state) {
    case 'behind':
      return `behind: partition ${coverage.partition} is stored up to ${coverage.stored} of ${coverage.barrier}`;
    case 'to_roll_up':
      return `to_roll_up: ${coverage.blocks} blocks`;
    case 'gap':
      return `gap: partition ${coverage.partition} has nothing from ${coverage.at} to ${coverage.next}`;
    case 'complete':
    default:
      return 'complete';
  }
}

function describeAdjustment(one: PeriodStatus['adjustments'][number]): string {
  return `${one.k}: ${one.namespace} ${one.meter} ${one.quantity > 0n ? '+' : ''}${one.quantity}, posted to ${one.postedTo}`;
}

function describeExplanation(found: Explanation): string[] {
  return [
    `${found.period} ${found.agrees ? 'agrees' : 'DIFFERS'}: recomputed from the ${found.from}, ${found.read} records read`,
    `  recorded    ${found.recordedDigest}`,
    `  stored      ${found.storedDigest}`,
    `  recomputed  ${found.recomputedDigest}, ${found.events} events`,
    ...found.differences.map(
      (one) =>
        `  ${one.namespace} ${one.meter}: closed ${one.closed} (${one.closedEvents} events), recomputed ${one.recomputed} (${one.recomputedEvents})`,
    ),
  ];
}
