// Leg L7, state: the biller's subscription against what we know of it. No money: what a drift does to an invoice is told
// by the other legs. Pure.

import type { BilledSubscription } from '../billing/port.ts';
import type { Finding } from './break.ts';
import type { OwnSide, OwnState } from './sides.ts';

/** The vendor's words that agree with ours. An unpaid invoice (past_due) is leg L6's matter. */
const AGREEING: Readonly<Record<OwnState, ReadonlySet<string>>> = {
  active: new Set(['active', 'past_due']),
  trialing: new Set(['trialing']),
  paused: new Set(['paused']),
  canceled: new Set(['canceled']),
  none: new Set(['canceled', 'incomplete', 'incomplete_expired']),
};
const ENDED = AGREEING.none;

/** At most one break: the subscription we know, or else any that agrees; and every one that lives is in flexible mode. */
export function compareState(own: OwnSide, subscriptions: readonly BilledSubscription[]): Finding[] {
  const ours = subscriptions.filter(({ id }) => own.subscription === null || id === own.subscription);
  const agrees =
    ours.some(({ status }) => AGREEING[own.state].has(status)) || (own.state === 'none' && ours.length === 0);
  const drifts = [
    ...(agrees ? [] : [ours.length === 0 ? 'no subscription' : ours.map(({ status }) => status).join(', ')]),
    ...ours.filter((one) => !ENDED.has(one.status) && one.billingMode === 'classic').map(() => 'classic billing mode'),
    ...ours.filter((one) => own.state === 'active' && one.collectionPaused).map(() => 'collection paused'),
  ];
  if (drifts.length === 0) return [];
  return [
    {
      code: 'STATE_DRIFT',
      account: own.account,
      meter: null,
      currency: own.currency,
      amountMinor: 0n,
      hours: [],
      expected: `${own.state}, flexible billing mode`,
      actual: [...new Set(drifts)].join(', '),
    },
  ];
}
