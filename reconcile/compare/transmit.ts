// Leg L2, transmit: our closed hours against the biller's meter summary, for one account, meter and part of the period. Pure.
// Money is what the difference does to the invoice lines as agreed.

import type { MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import type { Finding } from './break.ts';

export type HourQuantities = ReadonlyMap<number, bigint>;

export type Transmitted = {
  readonly account: string;
  readonly meter: MeterName;
  readonly currency: Currency;
  /** What the lines come to at a quantity, as agreed. */
  readonly worth: (quantity: bigint) => bigint;
  readonly own: HourQuantities;
  readonly billers: HourQuantities;
};

/** Hours whose totals differ, ascending. An absent hour is zero on either side. */
export function computeDifferingHours(own: HourQuantities, billers: HourQuantities): number[] {
  const hours = new Set([...own.keys(), ...billers.keys()]);
  return [...hours].filter((hour) => (own.get(hour) ?? 0n) !== (billers.get(hour) ?? 0n)).sort((a, b) => a - b);
}

export function sumHours(hours: HourQuantities): bigint {
  let total = 0n;
  for (const quantity of hours.values()) total += quantity;
  return total;
}

/**
 * At most one break per direction: hours where the biller has less, then hours where it has more. The second is priced
 * on top of the first, so that together they are worth exactly the difference of the two totals.
 */
export function compareTransmit({ own, billers, ...of }: Transmitted): Finding[] {
  const differing = computeDifferingHours(own, billers);
  const differenceAt = (hour: number) => (own.get(hour) ?? 0n) - (billers.get(hour) ?? 0n);
  const short = differing.filter((hour) => differenceAt(hour) > 0n);
  const over = differing.filter((hour) => differenceAt(hour) < 0n);

  const total = sumHours(own);
  const afterShort = short.reduce((left, hour) => left - differenceAt(hour), total);
  const afterOver = over.reduce((left, hour) => left - differenceAt(hour), afterShort);

  const findings: Finding[] = [];
  const shared = { account: of.account, meter: of.meter, currency: of.currency };
  if (short.length > 0) {
    const amountMinor = of.worth(total) - of.worth(afterShort);
    findings.push({ ...shared, code: 'USAGE_NOT_SENT', amountMinor, hours: short, ...sides(short, own, billers) });
  }
  if (over.length > 0) {
    const amountMinor = of.worth(afterShort) - of.worth(afterOver);
    findings.push({ ...shared, code: 'USAGE_OVERSENT', amountMinor, hours: over, ...sides(over, own, billers) });
  }
  return findings;
}

function sides(hours: readonly number[], own: HourQuantities, billers: HourQuantities) {
  const sum = (of: HourQuantities) => hours.reduce((total, hour) => total + (of.get(hour) ?? 0n), 0n).toString();
  return { expected: sum(own), actual: sum(billers) };
}
