// Both sides of an account as a close knows them: what is agreed and was used, and what the biller holds now. Reads only.

import type { Account } from '../../accounts/door.ts';
import type { HourTotal } from '../../aggregate/usage.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import type { MeterQuantities } from '../../domain/rating.ts';
import { hoursOf } from '../compare/push-plan.ts';
import type { Sides } from '../compare/sides-record.ts';
import { sumHours, type HourQuantities } from '../compare/transmit.ts';
import type { Period } from '../../domain/period.ts';
import type { RunAccount } from '../store/runs.ts';
import { rowsOf, toSubscriptionRef, type Deps } from './deps.ts';
import { fetchAgreedUsage, toQuantities } from './quantities.ts';

type SomeHours = Partial<Record<MeterName, HourQuantities>>;

/** Hours are read where the summaries differ only. Throws what the billing port and the doors throw. */
export async function fetchSides(
  deps: Deps,
  account: Account,
  { period, row }: { readonly period: Period; readonly row: RunAccount },
): Promise<Sides> {
  const ref = toSubscriptionRef(account);
  const [{ agreement, closed, segments, expected }, billing, nowMs, cases, meterErrors] = await Promise.all([
    fetchAgreedUsage(deps, account.id, period),
    deps.billing.fetchAccountBilling(ref, period),
    deps.clock.now(),
    rowsOf(deps).fetchKnownCases(account.id, period),
    rowsOf(deps).fetchMeterErrors(ref.customer, period),
  ]);
  const total = quantitiesOf(closed);
  const differing = METERS.filter(
    (meter) => row.summaries[meter] !== undefined && row.summaries[meter] !== total[meter],
  );
  const [own, billers]: [SomeHours, SomeHours] = [{}, {}];
  for (const meter of differing) {
    own[meter] = hoursOf(closed.filter((hour) => hour.meter === meter));
    billers[meter] = await deps.billing.fetchHourSummaries(ref, meter, period);
  }
  const { discount, taxBasisPoints, grants, state } = agreement;
  return {
    own: {
      account: account.id,
      currency: account.currency,
      period,
      subscription: ref.subscription,
      segments,
      expected,
      state,
      discountBasisPoints: discount?.kind === 'percent' ? discount.basisPoints : null,
      taxBasisPoints,
      creditAvailableMinor: grants.reduce((sum, { remainingMinor }) => sum + remainingMinor, 0n),
      hours: own,
      cases,
      holds: row.reasons,
    },
    biller: { summaries: row.summaries, hours: billers, meterErrors, billing },
    at: { nowMs },
  };
}

function quantitiesOf(closed: readonly HourTotal[]): MeterQuantities {
  return toQuantities((meter) => sumHours(hoursOf(closed.filter((hour) => hour.meter === meter))));
}
