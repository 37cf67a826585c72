// The activities of the close: every one idempotent, retried by Temporal alone, alive by its heartbeat. Errors leave as
// one of the four kinds; each activity writes one log line.

import { heartbeat, activityInfo } from '@temporalio/activity';
import { toApplicationFailure } from '../platform/temporal.ts';
import type { Log } from '../platform/log.ts';
import type { Deps } from './activities/deps.ts';
import { createInvoiceActivities } from './activities/invoice.ts';
import { createOpenHoursActivities } from './activities/open-hours.ts';
import { createPeriodActivities } from './activities/period.ts';
import { createUsageActivities } from './activities/usage.ts';
import type { Activities } from './activity-types.ts';

/** Well inside the heartbeat timeout, so that only a dead or stopped worker misses it. */
const HEARTBEAT_MS = 3_000;

export function createActivities(deps: Deps): Activities {
  const plain: Activities = {
    ...createPeriodActivities(deps),
    ...createOpenHoursActivities(deps),
    ...createUsageActivities(deps),
    ...createInvoiceActivities(deps),
  };
  const guarded = Object.entries(plain).map(([name, run]) => [name, guard(deps.log, name, run)] as const);
  return Object.fromEntries(guarded) as Activities;
}

type Activity = (input: never) => Promise<unknown>;

function guard(log: Log, name: string, run: Activity): Activity {
  return async (input) => {
    const startedAt = performance.now();
    const beat = setInterval(() => heartbeat(), HEARTBEAT_MS);
    const line = () => ({
      activity: name,
      input,
      attempt: activityInfo().attempt,
      ms: Math.round(performance.now() - startedAt),
    });
    try {
      const result = await run(input);
      log.info(line(), 'activity done');
      return result;
    } catch (error) {
      const failure = toApplicationFailure(error);
      const level = failure.nonRetryable === true ? 'error' : 'warn';
      log[level]({ ...line(), code: failure.type, error: failure.message }, 'activity failed');
      throw failure;
    } finally {
      clearInterval(beat);
    }
  };
}
