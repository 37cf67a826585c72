// What we write into Stripe's metadata, by which our own objects are found again. It is the only mark of ours there.

import type { Stripe } from 'stripe';
import type { Period } from '../../domain/period.ts';

/** The case that something was put there, or taken back, for. */
export const CASE_KEY = 'trueup_case';
/** The one of the case's repairs that it is a step of. */
const REPAIR_KEY = 'trueup_repair';
/** The period a re-issued invoice stands for. */
export const PERIOD_KEY = 'trueup_period';
/** Our id of a credit grant, and the basis points of a tax rate. */
export const GRANT_KEY = 'trueup_grant';
export const RATE_KEY = 'trueup_basis_points';
export const FEE_KIND = 'plan_fee';
export const COMMITMENT_KIND = 'commitment';

export function caseOf(metadata: Stripe.Metadata | null): string | null {
  return metadata?.[CASE_KEY] ?? null;
}

export function repairOf(metadata: Stripe.Metadata | null): string | null {
  return metadata?.[REPAIR_KEY] ?? null;
}

type Corrects = { readonly caseId: string; readonly repair: string };

export function caseMetadata({ caseId, repair }: Corrects, period?: Period): Stripe.Metadata {
  return { [CASE_KEY]: caseId, [REPAIR_KEY]: repair, ...(period === undefined ? {} : { [PERIOD_KEY]: period.key }) };
}
