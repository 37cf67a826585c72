// An account's usage as activities read it, and the invoice that our own agreement makes of it.

import type { Account } from '../../accounts/door.ts';
import type { HourTotal } from '../../aggregate/usage.ts';
import { sumHoursBySegment, type Agreement } from '../../domain/agreement.ts';
import { invariant } from '../../domain/contracts/errors.ts';
import type { ExpectedInvoice } from '../../domain/expected-invoice.ts';
import type { MeterName } from '../../domain/meter.ts';
import type { Period } from '../../domain/period.ts';
import { computeExpectedInvoice } from '../../domain/rating-invoice.ts';
import type { MeterQuantities } from '../../domain/rating.ts';
import type { AccountInput } from '../activity-types.ts';
import { hoursOf } from '../compare/push-plan.ts';
import type { Segment } from '../compare/sides.ts';
import type { HourQuantities } from '../compare/transmit.ts';
import { rowsOf, toSubscriptionRef, type Deps } from './deps.ts';

export type AgreedUsage = {
  readonly agreement: Agreement;
  readonly closed: readonly HourTotal[];
  /** The agreement's segments with what was used in each. */
  readonly segments: readonly Segment[];
  readonly expected: ExpectedInvoice;
};

/** What was used and what it should come to: rating, billing and comparing all start from here. */
export async function fetchAgreedUsage(deps: Deps, account: string, period: Period): Promise<AgreedUsage> {
  const [agreement, closed, carriedOver] = await Promise.all([
    deps.accounts.fetchAgreement(account, period),
    deps.usage.fetchClosedHours(period, account),
    rowsOf(deps).fetchCarriedOver(account, period),
  ]);
  const quantities = sumHoursBySegment(agreement.segments, closed);
  const segments = agreement.segments.map(({ startAtMs, endAtMs, terms }, index) => {
    const used = quantities[index];
    invariant(used !== undefined, 'I6', `a segment of ${account} has no sums`);
    return { startAtMs, endAtMs, terms, quantities: used };
  });
  return { agreement, closed, segments, expected: computeExpectedInvoice(agreement, quantities, carriedOver) };
}

/** Own hours as closed and the biller's, for one meter. */
export async function fetchHours(
  deps: Deps,
  account: Account,
  { meter, period }: { meter: MeterName; period: Period },
): Promise<{ own: HourQuantities; billers: HourQuantities }> {
  const ref = toSubscriptionRef(account);
  const [closed, billers] = await Promise.all([
    deps.usage.fetchClosedHours(period, account.id),
    deps.billing.fetchHourSummaries(ref, meter, period),
  ]);
  return { own: hoursOf(closed.filter((hour) => hour.meter === meter)), billers };
}

export function toQuantities(of: (meter: MeterName) => bigint): MeterQuantities {
  return { actions: of('actions'), active_storage: of('active_storage'), retained_storage: of('retained_storage') };
}

/** Quantities as rated: rating writes at least one line per meter, so an absent meter is an error and not a zero. */
export async function fetchRatedQuantities(deps: Deps, input: AccountInput): Promise<MeterQuantities> {
  const lines = await rowsOf(deps).fetchRatedLines(input);
  return toQuantities((meter) => {
    const own = lines.filter((line) => line.meter === meter);
    invariant(own.length > 0, 'I6', `account ${input.account} has no rated line for ${meter}`);
    return own.reduce((sum, line) => sum + line.quantity, 0n);
  });
}
