// Leg L3, quantity: what an invoice charges for against what the biller had been sent, for one charge; and usage lines that
// charge for something nobody agreed to. Pure.

import { toIso } from '../../domain/period.ts';
import type { Finding } from './break.ts';
import { worthAt, type LineGroup, type MatchedCharge } from './charges.ts';
import type { OwnSide } from './sides.ts';

/** The difference of quantities as money under the agreed price; a wrong period is a break of no money of its own. */
export function compareQuantity(own: OwnSide, { charge, groups, onTime }: MatchedCharge, sent: bigint): Finding[] {
  const { meter } = charge;
  const shared = { account: own.account, meter, currency: own.currency, hours: [] };
  const charged = groups.reduce((sum, { quantity }) => sum + quantity, 0n);
  const findings: Finding[] = [];
  if (sent !== charged) {
    findings.push({
      ...shared,
      code: 'QTY_MISMATCH',
      amountMinor: worthAt(charge, sent) - worthAt(charge, charged),
      expected: sent.toString(),
      actual: charged.toString(),
    });
  }
  if (!onTime) {
    const actual = [...new Set(groups.map(spanOf))].join(', ');
    findings.push({ ...shared, code: 'PERIOD_MISMATCH', amountMinor: 0n, expected: spanOf(charge), actual });
  }
  return findings;
}

/**
 * Groups that fit no charge are charged too much in full: of another period where the meter was agreed, a change that we
 * know nothing of where they say so, a wrong quantity where nothing was agreed at all.
 */
export function compareStray(own: OwnSide, charged: ReadonlySet<string>, groups: readonly LineGroup[]): Finding[] {
  return groups.map((group): Finding => {
    const other = charged.has(group.meter ?? '') ? 'PERIOD_MISMATCH' : 'QTY_MISMATCH';
    const code = group.kind === 'proration' ? 'PRORATION_MISMATCH' : other;
    return {
      code,
      account: own.account,
      meter: group.meter,
      currency: own.currency,
      hours: [],
      amountMinor: -group.amountMinor,
      expected: code === 'QTY_MISMATCH' ? '0' : 'no such line',
      actual: code === 'QTY_MISMATCH' ? group.quantity.toString() : spanOf(group),
    };
  });
}

export function spanOf({ startAtMs, endAtMs }: { readonly startAtMs: number; readonly endAtMs: number }): string {
  return `${toIso(startAtMs)} to ${toIso(endAtMs)}`;
}
