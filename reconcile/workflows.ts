// The close of a period, as workflows: order and waiting only. What is decided, fetched and written happens in
// activities, whose results are recorded, so a pricing fix can't break the replay of a month in flight.
// If every process dies, the close goes on where it was; each step is idempotent. One account's failure is that
// account's finding and not the run's.

import {
  ActivityFailure,
  ApplicationFailure,
  ParentClosePolicy,
  condition,
  defineQuery,
  defineSignal,
  executeChild,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  AccountInput,
  Activities,
  BatchInput,
  CloseInput,
  CloseProgress,
  CloseResult,
  CloseStage,
  RunInput,
} from './activity-types.ts';

export const clockAdvanced = defineSignal('clockAdvanced');
export const progress = defineQuery<CloseProgress>('progress');

/** Servers come back: an outage is waited out however long it takes, and a dead worker is noticed by its heartbeat. */
const OUTLAST_OUTAGES = {
  startToCloseTimeout: '10 minutes',
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

/** Batches under way at once: enough to hide Stripe's latency, few enough to stay under its limit of calls per second. */
const BATCHES_AT_ONCE = 4;

/** A lost clock signal costs at most this; a real clock is asked again while drafts are still expected. */
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
  let advances = 0;
  setHandler(progress, () => ({ stage, accountsDone, accountsTotal }));
  setHandler(clockAdvanced, () => {
    advances += 1;
  });

  const opened = await activities.openRun(input);
  accountsTotal = opened.accounts;
  /** Business time, and a pause that ends when it may have moved on since it was read. */
  const readClock = async (): Promise<ClockReading> => {
    const seen = advances;
    const nowMs = await activities.readClock();
    const pause = async (untilMs: number) => {
      if (opened.simulated) await condition(() => advances !== seen, RECHECK_MS);
      else await sleep(Math.min(untilMs - nowMs, RECHECK_MS));
    };
    return { nowMs, pause };
  };
  const waitUntil = async (dueMs: number) => {
    for (let clock = await readClock(); clock.nowMs < dueMs; clock = await readClock()) await clock.pause(dueMs);
  };

  let unclaimed = await activities.claimDrafts(input);
  stage = 'grace';
  // Drafts that come late are looked for until they can't come any more.
  for (let clock = await readClock(); unclaimed > 0 && clock.nowMs < opened.claimUntilMs; clock = await readClock()) {
    await clock.pause(opened.claimUntilMs);
    unclaimed = await activities.claimDrafts(input);
  }
  await waitUntil(opened.graceEndsAtMs);

  stage = 'closing';
  await activities.takeBarrier(input);
  await checkRolledUp({ ...input, upTo: 'barrier' });
  await activities.closePeriod(input);

  stage = 'billing';
  await forEachAtMost(BATCHES_AT_ONCE, opened.batches, async (batch) => {
    const child: BatchInput = { ...input, batch, simulated: opened.simulated };
    const done = await executeChild(reconcileBatch, {
      workflowId: `reconcile-${periodKey}-batch-${batch}`,
      args: [child],
      parentClosePolicy: ParentClosePolicy.TERMINATE,
    });
    accountsDone += done;
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

/** Bills the accounts of one batch, side by side, and returns how many there were. */
export async function reconcileBatch(input: BatchInput): Promise<number> {
  const { run, periodKey } = input;
  const accounts = await activities.fetchMembers(input);
  await Promise.all(accounts.map(async (account) => reconcileAccount({ run, periodKey, account }, input.simulated)));
  return accounts.length;
}

async function reconcileAccount(input: AccountInput, simulated: boolean): Promise<void> {
  try {
    await activities.rateAccount(input);
    await activities.pushUsage(input);
    if (!(await readBackPatiently(input, simulated))) {
      await activities.resendUsage(input);
      await readBackPatiently(input, simulated);
    }
    await activities.billAccount(input);
    await activities.compareAccount(input);
  } catch (error) {
    // Only what an activity has declared hopeless ends up here; cancellation must pass.
    if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) throw error;
    await activities.failAccount({ ...input, code: error.cause.type ?? 'UNKNOWN' });
  }
}

async function readBackPatiently(input: AccountInput, simulated: boolean): Promise<boolean> {
  if (await activities.readBack(input)) return true;
  for (const pauseMs of READ_BACK_PAUSES_MS[simulated ? 'simulated' : 'wall']) {
    await sleep(pauseMs);
    if (await activities.readBack(input)) return true;
  }
  return false;
}

/** Runs `work` for 0 … count − 1, at most `atOnce` at a time. */
async function forEachAtMost(atOnce: number, count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      await work(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
}
