// The door of this room: how others start a close, follow it and read what came of it. Nothing else in here is imported
// from outside. Every call may be repeated.

import { isDeepStrictEqual } from 'node:util';
import {
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type CalendarSpecDescription,
  type Client,
  type ScheduleSpecDescription,
} from '@temporalio/client';
import { closeIdOf } from '../domain/contracts/workflow-ids.ts';
import { parsePeriod } from '../domain/period.ts';
import { TASK_QUEUE, type CloseProgress, type CloseResult } from './activity-types.ts';
import type { Report } from './report/types.ts';
import type { ReconcileDb } from './store/db.ts';
import { TREND_PERIODS } from './report/trend.ts';
import { fetchEarlierReports, fetchStoredReport } from './store/reports.ts';
import { fetchRunSummaries } from './store/revisions.ts';
import type {
  clockAdvanced,
  closePeriod,
  progress,
  pushOpenHours,
  reconcileRun,
  startEndedClose,
} from './workflows.ts';

export { REPORT_FILE_NAMES, writeReportFiles } from './report-files/files.ts';
export { formatQuantity } from './report-html/format.ts';
export { findChromium } from './report-files/pdf.ts';
export { toVerdict } from './report-html/verdict-words.ts';
export { explainInvoice, type ExplainedInvoice } from './explain/invoice.ts';
export { runAudit } from './audit/audit.ts';
export { readUsageFolder, readUsageTable } from './audit/own-usage.ts';
export { createStripeAudit } from './billing/stripe-audit.ts';
export { probeStripe, type StripeFacts } from './billing/stripe-probe.ts';
export { openPace } from './billing/shared-pace.ts';
export { fetchWorkflows, type Workflows } from './standing/running-workflows.ts';
export { createStripeBilling } from './billing/stripe.ts';
export { sumUnbilled } from './accounting/accrual.ts';
export { fetchAccrual, fetchJournal, fetchRollForward, type Failure } from './accounting/readers.ts';
export { accrualTable, journalTable, rollForwardTable } from './accounting/tables.ts';
export { formatCsv } from './report-files/csv.ts';
export type { Table } from './report-files/table.ts';
export { planRerating, planUsageCorrection } from './repairs/bulk-plan.ts';
export { fetchCarriedOver } from './repairs/explained.ts';
export { planCase } from './repairs/plan-case.ts';
export type { Deps as CloseDeps } from './activities/deps.ts';
export { readCodeVersion } from './code-version.ts';
export { readBackPushes } from './recovery/pushes.ts';
export { provisionBilling } from './billing/provision.ts';
export type { Billing } from './billing/port.ts';
export type { CloseProgress, CloseResult } from './activity-types.ts';
export type { ReconcileTables } from './store/tables.ts';
export type * from './report/types.ts';

/** The id of a period's close. Throws `rejected` for a key that names no period. */
export function closeId(periodKey: string): string {
  return closeIdOf(parsePeriod(periodKey).key);
}

/** Starts the close of an ended period. Returns false when it was started before, which is as good. */
export async function startClose(client: Client, periodKey: string): Promise<boolean> {
  try {
    await client.workflow.start<typeof closePeriod>('closePeriod', {
      workflowId: closeId(periodKey),
      taskQueue: TASK_QUEUE,
      args: [{ periodKey }],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/**
 * Starts a close over, ending one that is under way: for one whose state Postgres has lost. Every step of it finds what the
 * one before did, at Stripe and in the period's record.
 */
export async function restartClose(client: Client, periodKey: string, why: string): Promise<void> {
  const handle = client.workflow.getHandle(closeId(periodKey));
  await handle.terminate(why).catch((error: unknown) => {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  });
  await client.workflow.start<typeof closePeriod>('closePeriod', {
    workflowId: closeId(periodKey),
    taskQueue: TASK_QUEUE,
    args: [{ periodKey }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
  });
}

/** Whether Temporal knows a close of the period, ended or not. */
export async function wasClosing(client: Client, periodKey: string): Promise<boolean> {
  try {
    await client.workflow.getHandle(closeId(periodKey)).describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Periods whose close is under way. */
export async function fetchRunningCloses(client: Client): Promise<string[]> {
  const workflow: (typeof closePeriod)['name'] = 'closePeriod';
  const query = `WorkflowType = '${workflow}' AND ExecutionStatus = 'Running'`;
  const keys: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query })) keys.push(workflowId.replace(closeIdOf(''), ''));
  return keys.sort();
}

/** Wakes a close that waits for business time; to be called after a simulated clock was advanced. */
export async function signalClock(client: Client, periodKey: string): Promise<void> {
  const signal: (typeof clockAdvanced)['name'] = 'clockAdvanced';
  await client.workflow.getHandle(closeId(periodKey)).signal(signal);
}

/** Where the close stands. Needs a running worker to answer. */
export async function fetchProgress(client: Client, periodKey: string): Promise<CloseProgress> {
  const query: (typeof progress)['name'] = 'progress';
  return client.workflow.getHandle(closeId(periodKey)).query<CloseProgress>(query);
}

/** Resolves when the report is written; throws what made the close fail. */
export async function awaitReport(client: Client, periodKey: string): Promise<CloseResult> {
  return client.workflow.getHandle<typeof closePeriod>(closeId(periodKey)).result();
}

/** Carries out a revision that was opened (runs/rerun.ts) and resolves when its report is written. May be called again. */
export async function carryOutRun(client: Client, run: string, periodKey: string): Promise<CloseResult> {
  try {
    const started = await client.workflow.start<typeof reconcileRun>('reconcileRun', {
      workflowId: run,
      taskQueue: TASK_QUEUE,
      args: [{ periodKey }],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    });
    return await started.result();
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return client.workflow.getHandle<typeof reconcileRun>(run).result();
  }
}

/** The newest report of a closed period, or undefined while none is written. */
export async function fetchReport(db: ReconcileDb, periodKey: string): Promise<Report | undefined> {
  const reported = (await fetchRunSummaries(db, parsePeriod(periodKey).key)).filter((run) => run.reportHash !== null);
  const newest = reported.at(-1);
  return newest === undefined ? undefined : fetchStoredReport(db, newest.run);
}

/** The reports of the periods before, for the trend beside one. */
export async function fetchReportsBefore(db: ReconcileDb, periodKey: string): Promise<Report[]> {
  return fetchEarlierReports(db, periodKey, TREND_PERIODS - 1);
}

/** Minutes after the full hour: the rollups of the ended hour have come by then, and what comes later is sent with the next. */
const PUSH_MINUTE = 10;
/** After the last hourly push of the month; drafts of it are there within the hour. */
const CLOSE_MINUTE = 20;
/** Grace ends with the second day: a close that begins later than on the third is late, and people look at it. */
const CLOSE_DAYS = 3;

/**
 * From now on sends open hours to the biller every hour, and starts the close of a month when the next one has begun: asked
 * every hour of its first days, so that neither a release that comes late, nor a clock that is behind, nor workers that were
 * away leave a month unclosed. What was due while no server ran is made up for. To be called where business time is real;
 * may be called by every worker.
 */
export async function ensureSchedules(client: Client): Promise<void> {
  const push: (typeof pushOpenHours)['name'] = 'pushOpenHours';
  const everyHour = { hour: through(0, 23), dayOfMonth: through(1, 31) };
  await ensureSchedule(client, {
    scheduleId: 'push-open-hours',
    workflowType: push,
    times: { ...everyHour, minute: through(PUSH_MINUTE) },
  });
  const close: (typeof startEndedClose)['name'] = 'startEndedClose';
  await ensureSchedule(client, {
    scheduleId: 'close-ended-period',
    workflowType: close,
    times: { ...everyHour, minute: through(CLOSE_MINUTE), dayOfMonth: through(1, CLOSE_DAYS) },
  });
}

/** In the form in which the server gives it back. */
type Times = Pick<CalendarSpecDescription, 'minute' | 'hour' | 'dayOfMonth'>;
type Scheduled = { readonly scheduleId: string; readonly workflowType: string; readonly times: Times };

function through(start: number, end = start): Times['minute'] {
  return [{ start, end, step: 1 }];
}

/** One run at a time. One that an earlier release made takes over the times of this one, and stays paused if it is. */
async function ensureSchedule(client: Client, { scheduleId, workflowType, times }: Scheduled): Promise<void> {
  const spec = { calendars: [times] };
  try {
    await client.schedule.create({
      scheduleId,
      spec,
      policies: { overlap: ScheduleOverlapPolicy.SKIP },
      action: { type: 'startWorkflow', workflowType, taskQueue: TASK_QUEUE, args: [] },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const handle = client.schedule.getHandle(scheduleId);
    // Not without need: a server forgets what was due before an update.
    if (!hasTimes((await handle.describe()).spec, times)) await handle.update((stored) => ({ ...stored, spec }));
  }
}

function hasTimes({ calendars, intervals }: ScheduleSpecDescription, times: Times): boolean {
  const found = (calendars ?? []).map(({ minute, hour, dayOfMonth }) => ({ minute, hour, dayOfMonth }));
  return (intervals ?? []).length === 0 && isDeepStrictEqual(found, [times]);
}
