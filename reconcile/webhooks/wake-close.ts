// A doorbell about a cycle's draft wakes the close of its period, which looks for drafts at once instead of at its next
// round. A cycle makes its drafts in crowds, so a close that was woken is woken again a while later, and once for all that
// came meanwhile. A ring that is lost with its process costs the close that round.

import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { periodOf } from '../../domain/period.ts';
import type { Log } from '../../platform/log.ts';
import { closeId } from '../door.ts';
import type { draftsChanged } from '../workflows.ts';
import type { OnChange } from './port.ts';

/** Every signal stays in the history of a close, with the look for drafts that it leads to. */
const REST_MS = 60_000;

export type CloseWaker = { readonly client: Client; readonly log: Log; readonly restMs?: number };

/** Throws what makes Temporal unreachable; a period whose close is over or never began has nobody to wake. */
export function createCloseWaker({ client, log, restMs = REST_MS }: CloseWaker): OnChange {
  /** Periods that were woken a moment ago, and whether it rang since. */
  const resting = new Map<string, { rang: boolean }>();
  const wake = async (period: string): Promise<void> => {
    await signalDrafts(client, period);
    const rest = { rang: false };
    resting.set(period, rest);
    const end = () => {
      resting.delete(period);
      if (rest.rang) wake(period).catch((error: unknown) => log.warn({ period, error: String(error) }, 'not woken'));
    };
    setTimeout(end, restMs).unref();
  };
  return async ({ status, cycleEndAtMs }) => {
    if (status !== 'draft' || cycleEndAtMs === undefined) return;
    const period = periodOf(cycleEndAtMs - 1).key;
    const rest = resting.get(period);
    if (rest === undefined) await wake(period);
    else rest.rang = true;
  };
}

async function signalDrafts(client: Client, period: string): Promise<void> {
  const signal: (typeof draftsChanged)['name'] = 'draftsChanged';
  try {
    await client.workflow.getHandle(closeId(period)).signal(signal);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
