// The activities of the close: every one idempotent, retried by Temporal alone, alive by its heartbeat. Errors leave as
// one of the four kinds; each activity writes one log line.

import { heartbeat, activityInfo } from '@temporalio/activity';
import { TrueupError } from '../domain/contracts/errors.ts';
import type { METRICS } from '../domain/contracts/metrics.ts';
import { toApplicationFailure } from '../platform/temporal.ts';
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
  const guarded = Object.entries(plain).map(
    ([name, run]) => [name, guard(deps, name as keyof Activities, run)] as const,
  );
  return Object.fromEntries(guarded) as Activities;
}

type Activity = (input: never) => Promise<unknown>;

type Labels = (typeof METRICS)['trueup_reconcile_activities_total']['labels'];
type Outcome = Labels['outcome'][number];

/** The error's kind; what is not ours is taken for passing, as Temporal takes it. */
function outcomeOf(error: unknown, isFinal: boolean): Outcome {
  if (error instanceof TrueupError) return error.kind;
  return isFinal ? 'bug' : 'unavailable';
}

function guard({ log, metrics }: Deps, activity: keyof Activities, run: Activity): Activity {
  return async (input) => {
    const startedAt = performance.now();
    const beat = setInterval(() => heartbeat(), HEARTBEAT_MS);
    const line = () => ({
      activity,
      input,
      attempt: activityInfo().attempt,
      ms: Math.round(performance.now() - startedAt),
    });
    const count = (outcome: Outcome) => {
      metrics?.count('trueup_reconcile_activities_total', { activity, outcome });
      const seconds = (performance.now() - startedAt) / 1_000;
      metrics?.record('trueup_reconcile_activity_seconds', { activity }, seconds);
    };
    try {
      const result = await run(input);
      count('done');
      log.info(line(), 'activity done');
      return result;
    } catch (error) {
      const failure = toApplicationFailure(error);
      count(outcomeOf(error, failure.nonRetryable === true));
      const level = failure.nonRetryable === true ? 'error' : 'warn';
      log[level]({ ...line(), code: failure.type, error: failure.message }, 'activity failed');
      throw failure;
    } finally {
      clearInterval(beat);
    }
  };
}
