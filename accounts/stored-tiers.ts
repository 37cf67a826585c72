// Contract prices between the price book and their rows: decimals are strings there, one spelling per value.

import { invariant } from '../domain/contracts/errors.ts';
import { formatDecimal, parseDecimal, parseWhole } from '../domain/decimal.ts';
import { METERS, type MeterName } from '../domain/meter.ts';
import type { ContractPrice, Tier } from '../domain/price-book.ts';
import type { StoredTier } from './tables.ts';

export function toStoredTier(tier: Tier): StoredTier {
  return { upTo: tier.upTo === null ? null : tier.upTo.toString(), unitAmount: formatDecimal(tier.unitAmount) };
}

export function fromStoredContract(row: {
  meter: string;
  effectiveFromMs: number;
  tiers: readonly StoredTier[];
}): ContractPrice {
  const meter = METERS.find((name): name is MeterName => name === row.meter);
  invariant(meter !== undefined, 'I5', `contract price for unknown meter ${row.meter}`);
  return {
    meter,
    effectiveFromMs: row.effectiveFromMs,
    tiers: row.tiers.map((tier) => ({
      upTo: tier.upTo === null ? null : parseWhole(tier.upTo),
      unitAmount: parseDecimal(tier.unitAmount),
    })),
  };
}
