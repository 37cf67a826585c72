// The close of a period, as workflows: order and waiting only. What is decided, fetched and written happens in
// activities, whose results are recorded, so a pricing fix can't break the replay of a month in flight.
// If every process dies, the close goes on where it was; each step is idempotent. One account's failure is that
// account's finding and not the run's.

import {
  ParentClosePolicy,
  condition,
  defineQuery,
  defineSignal,
  executeChild,
  proxyActivities,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { closeIdOf } from '../domain/contracts/workflow-ids.ts';
import type {
  Activities,
  BatchInput,
  BatchRunInput,
  CloseInput,
  CloseProgress,
  CloseResult,
  CloseStage,
  OpenHoursPage,
  OpenedRun,
  RunInput,
} from './activity-types.ts';

export const clockAdvanced = defineSignal('clockAdvanced');
/** Drafts of the period were made or changed at the biller. */
export const draftsChanged = defineSignal('draftsChanged');
export const progress = defineQuery<CloseProgress>('progress');

/** Servers come back: an outage is waited out however long it takes, and a dead worker is noticed by its heartbeat. */
const OUTLAST_OUTAGES = {
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '15 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '20 seconds' },
} as const;

/** Rollups trail the log by seconds; asked again at a steady pace, because a growing one would only add delay. */
const FOLLOW_ROLLUP = {
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '15 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 1.2, maximumInterval: '5 seconds' },
} as const;

const activities = proxyActivities<Activities>(OUTLAST_OUTAGES);
const { checkRolledUp } = proxyActivities<Activities>(FOLLOW_ROLLUP);

/** A lost signal costs at most this; a real clock is asked again while drafts are still expected. */
const RECHECK_MS = 5 * 60_000;

/**
 * Pauses between read-backs. Stripe's summaries follow within minutes, a simulated biller's within a second; what differs
 * after the last is a finding.
 */
const READ_BACK_PAUSES_MS = {
  simulated: [1_000],
  wall: [5_000, 15_000, 60_000, 180_000, 300_000],
} as const;

type ClockReading = { readonly nowMs: number; readonly pause: (untilMs: number) => Promise<void> };

export async function closePeriod({ periodKey }: CloseInput): Promise<CloseResult> {
  const input: RunInput = { run: workflowInfo().workflowId, periodKey };
  let stage: CloseStage = 'claiming';
  let accountsDone = 0;
  let accountsTotal = 0;
  let wakes = 0;
  const wake = () => {
    wakes += 1;
  };
  setHandler(progress, () => ({ stage, accountsDone, accountsTotal }));
  setHandler(clockAdvanced, wake);
  setHandler(draftsChanged, wake);

  const opened = await activities.openRun(input);
  accountsTotal = opened.accounts;
  /** Business time, and a pause that ends when something may have changed since `seen`. */
  const readClock = async (seen = wakes): Promise<ClockReading> => {
    const nowMs = await activities.readClock();
    const pause = async (untilMs: number) => {
      const atMostMs = opened.simulated ? RECHECK_MS : Math.min(untilMs - nowMs, RECHECK_MS);
      await condition(() => wakes !== seen, atMostMs);
    };
    return { nowMs, pause };
  };
  const waitUntil = async (dueMs: number) => {
    for (let clock = await readClock(); clock.nowMs < dueMs; clock = await readClock()) await clock.pause(dueMs);
  };

  // Taken before drafts are looked for: one that is made meanwhile ends the pause behind it.
  let seen = wakes;
  let unclaimed = await activities.claimDrafts(input);
  stage = 'grace';
  // Drafts that come late are looked for until they can't come any more.
  for (
    let clock = await readClock(seen);
    unclaimed > 0 && clock.nowMs < opened.claimUntilMs;
    clock = await readClock(seen)
  ) {
    await clock.pause(opened.claimUntilMs);
    seen = wakes;
    unclaimed = await activities.claimDrafts(input);
  }
  await waitUntil(opened.graceEndsAtMs);

  stage = 'closing';
  await activities.takeBarrier(input);
  await checkRolledUp({ ...input, upTo: 'barrier' });
  await activities.closePeriod(input);

  stage = 'billing';
  await reconcileBatches(input, opened, (accounts) => {
    accountsDone += accounts;
  });

  stage = 'late';
  await waitUntil(opened.lateEndsAtMs);
  await activities.takeLateBarrier(input);
  await checkRolledUp({ ...input, upTo: 'lateBarrier' });
  await activities.comparePeriod(input);

  stage = 'reporting';
  const result = await activities.writeReport(input);
  stage = 'done';
  return result;
}

/**
 * Reconciles a closed period once more: reads, rates and compares afresh, bills what is still a draft, and writes a report
 * of its own. The run's id is the workflow's.
 */
export async function reconcileRun({ periodKey }: CloseInput): Promise<CloseResult> {
  const input: RunInput = { run: workflowInfo().workflowId, periodKey };
  const opened = await activities.openRun(input);
  // The barrier is the period's own, and closing again proves that its total has not moved.
  await activities.takeBarrier(input);
  await activities.closePeriod(input);
  await reconcileBatches(input, opened, () => undefined);
  await activities.takeLateBarrier(input);
  await checkRolledUp({ ...input, upTo: 'lateBarrier' });
  await activities.comparePeriod(input);
  return activities.writeReport(input);
}

/**
 * All batches side by side: one that waits for the biller's summaries keeps no other from its turn. How much is under way at
 * once is the worker's to limit.
 */
async function reconcileBatches(
  input: RunInput,
  { batches, batchSize, accounts, simulated }: OpenedRun,
  onDone: (accounts: number) => void,
): Promise<void> {
  const numbers = Array.from({ length: batches }, (_, batch) => batch);
  await Promise.all(
    numbers.map(async (batch) => {
      const child: BatchRunInput = { ...input, batch, simulated };
      await executeChild(reconcileBatch, {
        workflowId: `${input.run}-batch-${batch}`,
        args: [child],
        parentClosePolicy: ParentClosePolicy.TERMINATE,
      });
      onDone(Math.min(batchSize, accounts - batch * batchSize));
    }),
  );
}

/** Bills the accounts of one batch, step by step and side by side. A failing account leaves the batch; the others go on. */
export async function reconcileBatch({ simulated, ...input }: BatchRunInput): Promise<void> {
  await activities.rateAccounts(input);
  await activities.pushUsage(input);
  if (!(await readBackPatiently(input, simulated))) {
    await activities.resendUsage(input);
    await readBackPatiently(input, simulated);
  }
  await activities.billAccounts(input);
  await activities.compareAccounts(input);
}

async function readBackPatiently(input: BatchInput, simulated: boolean): Promise<boolean> {
  if ((await activities.readBack(input)) === 0) return true;
  for (const pauseMs of READ_BACK_PAUSES_MS[simulated ? 'simulated' : 'wall']) {
    await sleep(pauseMs);
    if ((await activities.readBack(input)) === 0) return true;
  }
  return false;
}

/**
 * Starts the close of the period that ended last and leaves it to itself; started by a schedule, every hour of the first days
 * of a month. Returns the period's key, null when its close was started before: under way, done or failed it stays as it is.
 */
export async function startEndedClose(): Promise<string | null> {
  const periodKey = await activities.findEndedPeriod();
  if (periodKey === null) return null;
  try {
    await startChild(closePeriod, {
      workflowId: closeIdOf(periodKey),
      args: [{ periodKey }],
      // One that failed is looked at by people, and started again by them.
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return null;
  }
  return periodKey;
}

/** Sends the hours that ended since the last time, account by account; started every hour. Returns how many were sent. */
export async function pushOpenHours(): Promise<number> {
  let sent = 0;
  let after: string | null = null;
  do {
    const page: OpenHoursPage = await activities.pushOpenHours({ after });
    sent += page.hours;
    after = page.last;
  } while (after !== null);
  return sent;
}
