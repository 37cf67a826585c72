// The door of this room: how others start a close, follow it and read what came of it. Nothing else in here is imported
// from outside. Every call may be repeated.

import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { parsePeriod } from '../domain/period.ts';
import { TASK_QUEUE, type CloseProgress, type CloseResult } from './activity-types.ts';
import type { Report } from './report/types.ts';
import type { ReconcileDb } from './store/db.ts';
import { fetchStoredReport } from './store/reports.ts';
import type { clockAdvanced, closePeriod, progress } from './workflows.ts';

export { formatBreaksCsv } from './report/csv.ts';
export { renderReportHtml } from './report-html/page.ts';
export { toVerdict } from './report-html/verdict-words.ts';
export { createStripeBilling } from './billing/stripe.ts';
export { provisionBilling } from './billing/provision.ts';
export type { Billing } from './billing/port.ts';
export type { CloseProgress, CloseResult } from './activity-types.ts';
export type { ReconcileTables } from './store/tables.ts';
export type * from './report/types.ts';

/** The workflow id is the business key: one close per period, whoever starts it and however often. */
export function closeId(periodKey: string): string {
  return `close-${parsePeriod(periodKey).key}`;
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

/** The report of a closed period, or undefined while it is not written. */
export async function fetchReport(db: ReconcileDb, periodKey: string): Promise<Report | undefined> {
  return fetchStoredReport(db, closeId(periodKey));
}
