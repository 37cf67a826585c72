// trueup runs: every run of a period, what is different between two, starting its close, and running it again: offline from
// its stored evidence, which must give the same hashes, or afresh as a new revision. Exit code 1: hashes or runs differ.

import { parseArgs } from 'node:util';
import { parsePeriod, toIso } from '../domain/period.ts';
import { createLog } from '../platform/log.ts';
import { createTemporal } from '../platform/temporal.ts';
import { startTracing } from '../platform/tracing.ts';
import {
  describeDiff,
  diffRuns,
  fetchRunSummaries,
  fetchRunSummary,
  fetchStandingRun,
  openRevision,
  rerunOffline,
  type RunSummary,
} from '../reconcile/books.ts';
import { UsageError, type Run } from './command.ts';
import { actingAs, answer, oneOf, required, toColumns, withDesk, type Desk } from './desk.ts';

type Options = {
  readonly offline: boolean;
  readonly why?: string;
  readonly as?: string;
  readonly json: boolean;
};

const ACTIONS: Readonly<Record<string, (desk: Desk, named: readonly string[], options: Options) => Promise<number>>> = {
  start,
  list,
  show,
  diff,
  rerun,
};

export const run: Run = async ([action = '', ...args], context) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      offline: { type: 'boolean', default: false },
      why: { type: 'string' },
      as: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (act === undefined) throw new UsageError('say start, list, show, diff or rerun');
  return withDesk(context, async (desk) => act(desk, positionals, values));
};

/** The close of an ended period: the first time, or again after it failed; its steps find what was done before. */
async function start(desk: Desk, named: readonly string[], { json }: Options): Promise<number> {
  const { context, nowMs } = desk;
  const { key, endAtMs } = parsePeriod(oneOf(named, 'one period, such as 2026-10'));
  if (nowMs < endAtMs) throw new UsageError(`${key} is under way until ${toIso(endAtMs)}: it is closed from then on`);
  const env = context.env('TRUEUP_TEMPORAL_ADDRESS', 'TRUEUP_TEMPORAL_NAMESPACE');
  const { closeId, startClose } = await import('../reconcile/door.ts');
  const temporal = await createTemporal({
    address: env.TRUEUP_TEMPORAL_ADDRESS,
    namespace: env.TRUEUP_TEMPORAL_NAMESPACE,
  });
  try {
    const started = await startClose(temporal.client, key);
    const line = `${closeId(key)} ${started ? 'is started' : 'is under way or done: nothing was started'}`;
    answer(context, json, { value: { workflow: closeId(key), started }, lines: [line] });
    return 0;
  } finally {
    await temporal.close();
  }
}

async function list({ db, context }: Desk, named: readonly string[], { json }: Options): Promise<number> {
  const period = named.length === 0 ? undefined : parsePeriod(oneOf(named, 'one period, such as 2026-10')).key;
  const runs = await fetchRunSummaries(db, period);
  const rows = runs.map((one) => [
    one.run,
    `${one.revision}`,
    toIso(one.openedAtMs),
    one.reportHash?.slice(0, 12) ?? 'under way',
    one.why ?? 'the close',
  ]);
  const heading = ['RUN', 'REVISION', 'OPENED', 'REPORT', 'WHY'];
  answer(context, json, { value: runs, lines: toColumns([heading, ...rows]) });
  return 0;
}

async function show({ db, context }: Desk, named: readonly string[], { json }: Options): Promise<number> {
  const found = await fetchRunSummary(db, oneOf(named, 'one run, as trueup runs list prints it'));
  answer(context, json, { value: found, lines: describe(found) });
  return 0;
}

async function diff({ db, context }: Desk, named: readonly string[], { json }: Options): Promise<number> {
  const [from, to, ...rest] = named;
  if (from === undefined || to === undefined || rest.length > 0) throw new UsageError('name two runs');
  const found = await diffRuns(db, from, to);
  answer(context, json, { value: found, lines: describeDiff(found) });
  return found.sameReport ? 0 : 1;
}

async function rerun(desk: Desk, named: readonly string[], options: Options): Promise<number> {
  const period = parsePeriod(oneOf(named, 'one period, such as 2026-10')).key;
  return options.offline ? rerunFromEvidence(desk, period, options) : rerunAfresh(desk, period, options);
}

async function rerunFromEvidence({ db, context }: Desk, period: string, { json }: Options): Promise<number> {
  const done = await rerunOffline(db, await fetchStandingRun(db, period));
  const lines = [
    `${done.run} ${done.equal ? 'comes out the same' : 'DIFFERS'} from its stored evidence`,
    `  report    ${done.reportHash}`,
    `  evidence  ${done.evidenceHash}`,
    ...(done.equal ? [] : describeDiff(done.diff)),
  ];
  answer(context, json, { value: done, lines });
  return done.equal ? 0 : 1;
}

const SAY_EVERY_MS = 15_000;

/** The workers do it; killed while it waits, the same command goes on waiting. */
async function rerunAfresh(desk: Desk, period: string, options: Options): Promise<number> {
  const { db, context, nowMs: atMs } = desk;
  const why = required(options.why, '--why', 'says why the period is run again; --offline needs none');
  const actor = await actingAs(desk, options.as);
  const env = context.env('TRUEUP_TEMPORAL_ADDRESS', 'TRUEUP_TEMPORAL_NAMESPACE', 'TRUEUP_TRACE_URL');
  const before = await fetchStandingRun(db, period);
  // Loaded here only: it knows Temporal and the report's files.
  const { carryOutRun, readCodeVersion } = await import('../reconcile/door.ts');
  const revision = await openRevision(db, actor, { period, why, codeVersion: readCodeVersion(), atMs });
  const tracing = await startTracing({ url: env.TRUEUP_TRACE_URL, process: 'cli', log: createLog('cli', 'warn') });
  const temporal = await createTemporal(
    { address: env.TRUEUP_TEMPORAL_ADDRESS, namespace: env.TRUEUP_TEMPORAL_NAMESPACE },
    tracing,
  );
  let waiting: NodeJS.Timeout | undefined;
  try {
    context.warn(`${revision} is under way`);
    waiting = setInterval(
      () => context.warn(`${revision} is under way; a reconcile worker has to run for it`),
      SAY_EVERY_MS,
    );
    await carryOutRun(temporal.client, revision, period);
  } finally {
    clearInterval(waiting);
    await temporal.close();
    await tracing.stop();
  }
  const since = (await fetchRunSummary(db, revision)).supersedes ?? before;
  const found = await diffRuns(db, since, revision);
  answer(context, options.json, { value: found, lines: describeDiff(found) });
  return found.sameReport ? 0 : 1;
}

function describe(found: RunSummary): string[] {
  return [
    `${found.run}: revision ${found.revision} of ${found.period}, opened ${toIso(found.openedAtMs)}`,
    `  ${found.supersedes === null ? 'the close' : `supersedes ${found.supersedes}: ${found.why ?? ''}`}`,
    `  code      ${found.codeVersion}`,
    `  report    ${found.reportHash ?? 'under way'}`,
    `  evidence  ${found.evidenceHash ?? 'under way'}`,
  ];
}
