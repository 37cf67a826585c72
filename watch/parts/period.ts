// The steps of the periods that ended, and of the one under way. Reads only.

import { fetchPeriod } from '../../aggregate/period-record.ts';
import { fetchIsSigned, fetchRunSummaries } from '../../reconcile/books.ts';
import type { WatchDeps } from '../deps.ts';
import { computeSteps, duePeriods } from '../period-steps.ts';
import type { PeriodStanding } from '../standing.ts';

export async function lookAtPeriod({ db, clock, accounts }: WatchDeps): Promise<PeriodStanding> {
  const nowMs = await clock.now();
  const periods = duePeriods(nowMs, await accounts.fetchFirstCreatedAtMs());
  const steps = await Promise.all(
    periods.map(async (period) => {
      const record = await fetchPeriod(db, period);
      const reported = (await fetchRunSummaries(db, period.key)).some(({ reportHash }) => reportHash !== null);
      const signed = reported && (await fetchIsSigned(db, period.key));
      return computeSteps(period, {
        barrier: record !== undefined,
        closed: record?.state === 'CLOSED',
        reported,
        signed,
      });
    }),
  );
  return { steps: steps.flat() };
}
