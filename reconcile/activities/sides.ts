// Both sides of an account as a close knows them: what is agreed and was used, and what the biller holds now. Reads only.

import type { Account } from '../../accounts/door.ts';
import type { HourTotal } from '../../aggregate/usage.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import { computeExpectedInvoice } from '../../domain/rating-invoice.ts';
import type { MeterQuantities } from '../../domain/rating.ts';
import { hoursOf } from '../compare/push-plan.ts';
import type { Sides } from '../compare/sides-record.ts';
import { sumHours, type HourQuantities } from '../compare/transmit.ts';
import type { Period } from '../../domain/period.ts';
import { fetchCarriedOver, fetchKnownCases } from '../repairs/explained.ts';
import type { RunAccount } from '../store/runs.ts';
import { fetchMeterErrors } from '../webhooks/meter-errors.ts';
import { toSubscriptionRef, type Deps } from './deps.ts';
import { toQuantities } from './quantities.ts';

type SomeHours = Partial<Record<MeterName, HourQuantities>>;

/** Hours are read where the summaries differ only. Throws what the billing port and the doors throw. */
export async function fetchSides(
  deps: Deps,
  account: Account,
  { period, row }: { readonly period: Period; readonly row: RunAccount },
): Promise<Sides> {
  const ref = toSubscriptionRef(account);
  const of = { period, account: account.id };
  const [agreement, closed, billing, nowMs, cases, carriedOver, meterErrors] = await Promise.all([
    deps.accounts.fetchAgreement(account.id, period),
    deps.usage.fetchClosedHours(period, account.id),
    deps.billing.fetchAccountBilling(ref, period),
    deps.clock.now(),
    fetchKnownCases(deps.db, of),
    fetchCarriedOver(deps.db, of),
    fetchMeterErrors(deps.db, ref.customer, period),
  ]);
  const segments = agreement.segments.map(({ startAtMs, endAtMs, terms }) => {
    const within = closed.filter(({ hourAtMs }) => hourAtMs >= startAtMs && hourAtMs < endAtMs);
    return { startAtMs, endAtMs, terms, quantities: quantitiesOf(within) };
  });
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
  const quantities = segments.map((segment) => segment.quantities);
  return {
    own: {
      account: account.id,
      currency: account.currency,
      period,
      subscription: ref.subscription,
      segments,
      expected: computeExpectedInvoice(agreement, quantities, carriedOver),
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
