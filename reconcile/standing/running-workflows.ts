// Workflows that run, and those whose next step does not get done: nobody takes it, or it fails again and again. Waiting
// for business time or for a child is no step, and a step that is being worked on is not stuck. Reads only.

import type { Client } from '@temporalio/client';
import type { WORKFLOW_KINDS } from '../../domain/contracts/metrics/watch.ts';
import { DAY_MS } from '../../domain/period.ts';
import { TASK_QUEUE } from '../activity-types.ts';

export type WorkflowKind = (typeof WORKFLOW_KINDS)[number];

export type RunningWorkflow = {
  readonly id: string;
  readonly kind: WorkflowKind;
  /** What the longest waiting step is, and for how long; null when nothing is stuck. */
  readonly stuck: {
    readonly step: string;
    readonly forMs: number;
    readonly attempt: number;
    readonly why: string;
  } | null;
};

export type Workflows = {
  readonly running: readonly RunningWorkflow[];
  /** Ids whose last run of the past week ended in failure. */
  readonly failed: readonly { readonly id: string; readonly kind: WorkflowKind }[];
};

/** Described one by one; the children of a close are at most a hundred. */
const DESCRIBED_MAX = 250;
const DESCRIBED_AT_ONCE = 10;
const FAILED_WITHIN_MS = 7 * DAY_MS;

export async function fetchWorkflows(client: Client, nowMs: number): Promise<Workflows> {
  const queue = `TaskQueue = '${TASK_QUEUE}'`;
  const running: { id: string; kind: WorkflowKind }[] = [];
  for await (const { workflowId, type } of client.workflow.list({
    query: `${queue} AND ExecutionStatus = 'Running'`,
  })) {
    running.push({ id: workflowId, kind: kindOf(type) });
    if (running.length >= DESCRIBED_MAX) break;
  }
  const described: RunningWorkflow[] = [];
  for (let start = 0; start < running.length; start += DESCRIBED_AT_ONCE) {
    const some = running.slice(start, start + DESCRIBED_AT_ONCE);
    described.push(...(await Promise.all(some.map(async (one) => describe(client, one, nowMs)))));
  }
  const since = new Date(nowMs - FAILED_WITHIN_MS).toISOString();
  const ended = client.workflow.list({ query: `${queue} AND ExecutionStatus != 'Running' AND CloseTime > '${since}'` });
  return { running: described, failed: await findFailed(ended, new Set(running.map(({ id }) => id))) };
}

type Ended = AsyncIterable<{ workflowId: string; type: string; status: { name: string }; startTime: Date }>;

/** The newest run of an id decides: a failure that was run again is over. */
async function findFailed(ended: Ended, running: ReadonlySet<string>): Promise<Workflows['failed']> {
  const newest = new Map<string, { atMs: number; failed: boolean; kind: WorkflowKind }>();
  for await (const { workflowId, type, status, startTime } of ended) {
    const atMs = startTime.getTime();
    if (running.has(workflowId) || (newest.get(workflowId)?.atMs ?? 0) > atMs) continue;
    const failed = ['FAILED', 'TIMED_OUT', 'TERMINATED'].includes(status.name);
    newest.set(workflowId, { atMs, failed, kind: kindOf(type) });
  }
  return [...newest].flatMap(([id, { failed, kind }]) => (failed ? [{ id, kind }] : []));
}

function kindOf(type: string): WorkflowKind {
  if (['startEndedClose', 'closePeriod', 'reconcileRun'].includes(type)) return 'close';
  if (type === 'reconcileBatch') return 'batch';
  return type === 'pushOpenHours' ? 'push' : 'other';
}

async function describe(
  client: Client,
  { id, kind }: { id: string; kind: WorkflowKind },
  nowMs: number,
): Promise<RunningWorkflow> {
  const { raw } = await client.workflow.getHandle(id).describe();
  const task = raw.pendingWorkflowTask;
  const steps: Step[] = (raw.pendingActivities ?? []).map((one) => ({
    step: one.activityType?.name ?? 'activity',
    sinceMs: toMs(one.scheduledTime) ?? nowMs,
    attempt: one.attempt ?? 1,
    started: toMs(one.lastStartedTime) !== undefined,
    why: one.lastFailure?.applicationFailureInfo?.type ?? '',
  }));
  if (task !== null && task !== undefined) {
    steps.push({
      step: 'workflow task',
      sinceMs: toMs(task.originalScheduledTime) ?? toMs(task.scheduledTime) ?? nowMs,
      attempt: task.attempt ?? 1,
      started: toMs(task.startedTime) !== undefined,
      why: '',
    });
  }
  return { id, kind, stuck: findStuck(steps, nowMs) };
}

export type Step = {
  readonly step: string;
  /** When it was first handed out. */
  readonly sinceMs: number;
  readonly attempt: number;
  readonly started: boolean;
  readonly why: string;
};

/** The step that has been waiting or failing longest. Pure. */
export function findStuck(steps: readonly Step[], nowMs: number): RunningWorkflow['stuck'] {
  const [worst] = steps
    .filter(({ started, attempt }) => !started || attempt > 2)
    .toSorted((a, b) => a.sinceMs - b.sinceMs);
  if (worst === undefined) return null;
  const why = worst.started ? worst.why : 'nobody takes it';
  return { step: worst.step, forMs: Math.max(0, nowMs - worst.sinceMs), attempt: worst.attempt, why };
}

type Timestamp =
  { readonly seconds?: { toString(): string } | null; readonly nanos?: number | null } | null | undefined;

function toMs(time: Timestamp): number | undefined {
  if (time?.seconds === undefined || time.seconds === null) return undefined;
  const ms = Number(time.seconds.toString()) * 1_000 + Math.floor((time.nanos ?? 0) / 1e6);
  return ms === 0 ? undefined : ms;
}
