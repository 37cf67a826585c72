// The whole input of a comparison as canonical JSON and back: what a run stores as evidence, and all that an offline re-run
// needs. Whole numbers and decimals stand as text. What is not named here is not stored; what is named must be there.

import { z } from 'zod';
import type { Canonical } from '../../domain/canonical.ts';
import { BREAK_CODES } from '../../domain/contracts/break-codes.ts';
import { formatDecimal, parseDecimal, type Decimal } from '../../domain/decimal.ts';
import { METERS } from '../../domain/meter.ts';
import { parseCurrency, type Currency } from '../../domain/money.ts';
import { PLAN_IDS, type Price, type Terms } from '../../domain/price-book.ts';
import type { AccountBilling, BilledInvoice } from '../billing/port.ts';
import { OWN_STATES, type BillerSide, type CompareAt, type OwnSide } from './sides.ts';
import type { HourQuantities } from './transmit.ts';

export type Sides = { readonly own: OwnSide; readonly biller: BillerSide; readonly at: CompareAt };

const text = z.string();
const orNull = text.nullable();
const time = z.int();
const timeOrNull = time.nullable();
export const whole = z.codec(z.string().regex(/^-?\d+$/), z.bigint(), {
  decode: (written) => BigInt(written),
  encode: (value) => value.toString(),
});
const decimal = z.codec(text, z.custom<Decimal>(), { decode: parseDecimal, encode: formatDecimal });
export const currency = z.codec(text, z.custom<Currency>(), { decode: parseCurrency, encode: (code) => code });
export const meter = z.enum(METERS);
const meterOrNull = meter.nullable();
const code = z.codec(text, z.enum(BREAK_CODES), {
  decode: (written) => z.enum(BREAK_CODES).parse(written),
  encode: (known) => known,
});
const hours = z.codec(z.array(z.tuple([time, whole])), z.custom<HourQuantities>(), {
  decode: (pairs) => new Map(pairs),
  encode: (held) => [...held].sort(([a], [b]) => a - b),
});
const perMeter = <T extends z.ZodType>(value: T) => z.record(meter, value);
const someMeters = <T extends z.ZodType>(value: T) => z.partialRecord(meter, value);

const price = z.object({
  id: text,
  meter,
  tiers: z.array(z.object({ upTo: whole.nullable(), unitAmount: decimal })),
}) satisfies z.ZodType<Price>;

export const terms = z.object({
  planId: z.enum(PLAN_IDS),
  prices: perMeter(price),
  fee: z.object({ minimumMinor: whole, basisPoints: whole }),
}) satisfies z.ZodType<Terms>;

const reduced = { amountMinor: whole, discountMinor: whole, creditMinor: whole, taxMinor: whole };
const span = { startAtMs: time, endAtMs: time };
const totals = { subtotalMinor: whole, discountMinor: whole, creditMinor: whole, taxMinor: whole, totalMinor: whole };

const expectedLine = z.object({
  ...reduced,
  ...span,
  kind: z.enum(['usage', 'plan_fee', 'proration', 'adjustment', 'commitment']),
  meter: meterOrNull,
  priceId: orNull,
  quantity: whole,
  caseId: orNull,
});

const own = z.object({
  account: text,
  currency,
  period: z.object({ key: text, ...span }),
  subscription: orNull,
  segments: z.array(z.object({ ...span, terms, quantities: perMeter(whole) })),
  expected: z.object({ currency, lines: z.array(expectedLine), ...totals }),
  state: z.enum(OWN_STATES),
  discountBasisPoints: whole.nullable(),
  taxBasisPoints: whole.nullable(),
  creditAvailableMinor: whole,
  hours: someMeters(hours),
  cases: z.array(z.object({ id: text, code, meter: meterOrNull, settledMinor: whole })),
  holds: z.array(text),
}) satisfies z.ZodType<OwnSide>;

const billedLine = z.object({
  ...reduced,
  ...span,
  id: text,
  kind: z.enum(['usage', 'plan_fee', 'proration', 'repair', 'other']),
  meter: meterOrNull,
  priceId: orNull,
  itemId: orNull,
  caseId: orNull,
  quantity: whole,
});

const payment = z.object({
  id: text,
  status: z.enum(['paid', 'open', 'canceled']),
  amountMinor: whole,
  outOfBand: z.boolean(),
  paidAtMs: timeOrNull,
});

const creditNote = z.object({
  id: text,
  number: orNull,
  status: z.enum(['issued', 'void']),
  kind: z.enum(['pre_payment', 'post_payment', 'mixed']),
  amountMinor: whole,
  caseId: orNull,
  createdAtMs: time,
});

const invoice = z.object({
  ...totals,
  id: text,
  number: orNull,
  status: z.enum(['draft', 'open', 'paid', 'void', 'uncollectible', 'unknown']),
  billingReason: text,
  subscription: orNull,
  currency: text,
  createdAtMs: time,
  finalizedAtMs: timeOrNull,
  dueAtMs: timeOrNull,
  caseId: orNull,
  finalizationError: orNull,
  amountDueMinor: whole,
  amountPaidMinor: whole,
  amountRemainingMinor: whole,
  amountOverpaidMinor: whole,
  lines: z.array(billedLine),
  payments: z.array(payment),
  creditNotes: z.array(creditNote),
  snapshot: z.custom<Canonical>(),
}) satisfies z.ZodType<BilledInvoice>;

const subscription = z.object({
  id: text,
  status: text,
  billingMode: z.enum(['flexible', 'classic']),
  currency: text,
  items: z.array(z.object({ id: text, priceId: orNull })),
  collectionPaused: z.boolean(),
  canceledAtMs: timeOrNull,
});

const billing = z.object({
  customer: text,
  currency: orNull,
  subscriptions: z.array(subscription),
  invoices: z.array(invoice),
}) satisfies z.ZodType<AccountBilling>;

const biller = z.object({
  summaries: someMeters(whole),
  hours: someMeters(hours),
  meterErrors: z.array(z.object({ code: text, meter: meterOrNull, events: time })),
  billing,
});

const sides = z.object({ own, biller, at: z.object({ nowMs: time }) });

export function toSidesRecord(of: Sides): Canonical {
  return z.encode(sides, of as z.output<typeof sides>) as Canonical;
}

/** Throws a zod error that names the place for anything but a record of sides. */
export function fromSidesRecord(record: Canonical): Sides {
  return z.decode(sides, record as z.input<typeof sides>);
}
