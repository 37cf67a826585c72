// Meters and the catalogue that maps what the data plane emits to what is billed. Truth keeps the emitted type and
// quantity; this mapping is price-book data, applied when minutes are rolled up.
// Billable actions after Temporal Cloud's public rules; actions count in tenths because fairness adds a tenth.

import type { Decimal } from './decimal.ts';

export const METERS = ['actions', 'active_storage', 'retained_storage'] as const;

export type MeterName = (typeof METERS)[number];

/** What one meter unit is called on reports, and how many make one of the unit people speak of. */
export const METER_UNITS: Readonly<Record<MeterName, { unit: string; spokenUnit: string; perSpokenUnit: bigint }>> = {
  actions: { unit: 'tenth of an action', spokenUnit: 'actions', perSpokenUnit: 10n },
  active_storage: { unit: 'MB-hour', spokenUnit: 'GBh', perSpokenUnit: 1000n },
  retained_storage: { unit: 'MB-hour', spokenUnit: 'GBh', perSpokenUnit: 1000n },
};

/** Units of a meter. One that is not ours, as in an audit of another Stripe account, counts in itself. */
export function meterUnits(meter: MeterName): (typeof METER_UNITS)[MeterName] {
  const units: Partial<typeof METER_UNITS> = METER_UNITS;
  return units[meter] ?? { unit: meter, spokenUnit: meter, perSpokenUnit: 1n };
}

/** Meter units as the exact decimal people speak of: tenths of actions → actions, MB-hours → GBh. */
export function toSpoken(meter: MeterName, quantity: bigint): Decimal {
  return { units: quantity, scale: meterUnits(meter).perSpokenUnit.toString().length - 1 };
}

/** The meters a report is about: ours, or those that occur where others do. */
export function metersOf(named: readonly { readonly meter: MeterName | null }[]): readonly MeterName[] {
  const occurring = [...new Set(named.flatMap(({ meter }) => (meter === null ? [] : [meter])))].sort();
  return occurring.every((meter) => METERS.includes(meter)) ? METERS : occurring;
}

export type TypeRule = { readonly meter: MeterName; /** Meter units per unit of quantity. */ readonly weight: number };

const action = (tenths: number): TypeRule => ({ meter: 'actions', weight: tenths });

/** Every event type that counts. `void` is not among them: it only takes another event back. */
export const EVENT_TYPES: Readonly<Record<string, TypeRule>> = {
  workflow_start: action(10),
  workflow_reset: action(10),
  search_attribute_upsert: action(10),
  child_workflow: action(20),
  activity_execution: action(10),
  activity_heartbeat: action(10),
  local_activity: action(10),
  timer_start: action(10),
  signal_send: action(10),
  query: action(10),
  update: action(10),
  schedule_execution: action(30),
  nexus_operation: action(10),
  history_export: action(10),
  api_call: action(10),
  fairness: action(1),
  replication: action(10),
  capacity_shortfall: action(10),
  active_storage: { meter: 'active_storage', weight: 1 },
  retained_storage: { meter: 'retained_storage', weight: 1 },
};

export const VOID_TYPE = 'void';

/** The catalogue as parallel arrays, the shape in which a rollup query takes it. */
export function catalogueColumns(): { types: string[]; meters: MeterName[]; weights: number[] } {
  const entries = Object.entries(EVENT_TYPES);
  return {
    types: entries.map(([type]) => type),
    meters: entries.map(([, rule]) => rule.meter),
    weights: entries.map(([, rule]) => rule.weight),
  };
}
