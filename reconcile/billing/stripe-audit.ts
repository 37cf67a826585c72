// An existing Stripe account as an audit reads it: meters, customers with metered subscriptions, their prices, summaries and
// invoices. Whatever the key may do, a request that would write is refused here before it leaves.

import type { Stripe } from 'stripe';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { parseDecimal } from '../../domain/decimal.ts';
import type { MeterName } from '../../domain/meter.ts';
import type { Period } from '../../domain/period.ts';
import type { Price } from '../../domain/price-book.ts';
import type { AccountBilling } from './port.ts';
import { createBilled } from './stripe-billed.ts';
import { createClient, fromSeconds, fromWireInteger, read, toSeconds, type StripeOptions } from './stripe-call.ts';
import { createCatalogue } from './stripe-catalogue.ts';
import { createReadOnlyHttpClient } from './stripe-http.ts';

export type AuditedPrice = {
  readonly price: Price;
  /** False where tiers with flat amounts, volume tiers or packages are charged, which an audit does not rate itself. */
  readonly rated: boolean;
};

export type AuditedCustomer = {
  readonly customer: string;
  readonly currency: string;
  /** Metered prices of its subscriptions in the period, by meter. */
  readonly prices: ReadonlyMap<string, AuditedPrice>;
  readonly summaries: ReadonlyMap<string, bigint>;
  readonly billing: AccountBilling;
};

export type BillingAudit = {
  /** Event names of the account's meters, the archived ones too. */
  fetchMeters(): Promise<string[]>;
  /** Customers that had a metered subscription in the period, ordered by id. */
  fetchCustomers(period: Period): Promise<string[]>;
  fetchCustomer(customer: string, period: Period): Promise<AuditedCustomer>;
  fetchHours(customer: string, meter: string, period: Period): Promise<ReadonlyMap<number, bigint>>;
};

const MANY = { limit: 100 };
const AT_MOST = { limit: 10_000 };

/** Throws `rejected` STRIPE_AUTHENTICATION for an unrestricted live key: an audit needs to read only. */
export function createStripeAudit(options: StripeOptions): BillingAudit {
  if (options.key.startsWith('sk_live_')) {
    throw new TrueupError({
      kind: 'rejected',
      code: 'STRIPE_AUTHENTICATION',
      message: 'an audit takes no secret live key, which could write',
      field: 'stripe-key',
      next: 'make a restricted key (rk_live_…) that may read billing meters, customers, invoices, prices and subscriptions',
    });
  }
  const stripe = createClient(options, createReadOnlyHttpClient(options));
  const meters = new Map<string, string>();
  const loadMeters = async () => {
    if (meters.size > 0) return;
    const list = await read('meters', async () => stripe.billing.meters.list(MANY).autoPagingToArray(AT_MOST));
    for (const { id, event_name: name } of list) meters.set(id, name);
  };
  const catalogue = createCatalogue(stripe, (meterId) => (meters.get(meterId) ?? null) as MeterName | null);
  const billed = createBilled(stripe, catalogue);
  const meterIdOf = (name: string) => [...meters].find(([, known]) => known === name)?.[0] ?? unknownMeter(name);
  return {
    fetchMeters: async () => {
      await loadMeters();
      return [...new Set(meters.values())].sort();
    },
    fetchCustomers: async (period) => {
      await loadMeters();
      return fetchMeteredCustomers(stripe, period);
    },
    fetchCustomer: async (customer, period) => {
      await loadMeters();
      const prices = await fetchPrices(stripe, customer, meters);
      const billing = await billed.fetchAccountBilling({ account: customer, customer }, period);
      const summaries = new Map<string, bigint>();
      for (const meter of prices.keys()) {
        const span = { customer, start_time: toSeconds(period.startAtMs), end_time: toSeconds(period.endAtMs) };
        const what = `summary of ${meter} for ${customer}`;
        const page = await read(what, async () => stripe.billing.meters.listEventSummaries(meterIdOf(meter), span));
        summaries.set(
          meter,
          page.data.reduce((sum, entry) => sum + fromWireInteger(entry.aggregated_value, what), 0n),
        );
      }
      return { customer, currency: billing.currency ?? 'unknown', prices, summaries, billing };
    },
    fetchHours: async (customer, meter, period) => {
      await loadMeters();
      const what = `hours of ${meter} for ${customer}`;
      const params = {
        customer,
        start_time: toSeconds(period.startAtMs),
        end_time: toSeconds(period.endAtMs),
        value_grouping_window: 'hour' as const,
        ...MANY,
      };
      const entries = await read(what, async () =>
        stripe.billing.meters.listEventSummaries(meterIdOf(meter), params).autoPagingToArray(AT_MOST),
      );
      return new Map(
        entries.map((entry) => [fromSeconds(entry.start_time), fromWireInteger(entry.aggregated_value, what)]),
      );
    },
  };
}

function unknownMeter(name: string): never {
  throw new TrueupError({
    kind: 'rejected',
    code: 'STRIPE_NOT_FOUND',
    message: `the account has no meter with the event name ${name}`,
    field: 'meter',
    next: "name meters by their event names, as Stripe's dashboard shows them",
  });
}

async function fetchMeteredCustomers(stripe: Stripe, period: Period): Promise<string[]> {
  const created = { lt: toSeconds(period.endAtMs) };
  const customers = new Set<string>();
  await read('subscriptions', async () => {
    const list = stripe.subscriptions.list({ status: 'all', created, ...MANY });
    for await (const { customer, ended_at: endedAt, items } of list) {
      const lived = endedAt === null || fromSeconds(endedAt) > period.startAtMs;
      const metered = items.data.some(({ price }) => price.recurring?.usage_type === 'metered');
      if (lived && metered) customers.add(typeof customer === 'string' ? customer : customer.id);
    }
  });
  return [...customers].sort();
}

async function fetchPrices(
  stripe: Stripe,
  customer: string,
  meters: ReadonlyMap<string, string>,
): Promise<Map<string, AuditedPrice>> {
  const subscriptions = await read(`subscriptions of ${customer}`, async () =>
    stripe.subscriptions.list({ customer, status: 'all', ...MANY }).autoPagingToArray(AT_MOST),
  );
  const prices = new Map<string, AuditedPrice>();
  for (const { price } of subscriptions.flatMap(({ items }) => items.data)) {
    const meter = meters.get(price.recurring?.meter ?? '');
    if (meter === undefined || prices.has(meter)) continue;
    const whole = await read(`price ${price.id}`, async () => stripe.prices.retrieve(price.id, { expand: ['tiers'] }));
    prices.set(meter, toAuditedPrice(whole, meter));
  }
  return prices;
}

function toAuditedPrice(price: Stripe.Price, meter: string): AuditedPrice {
  const id = price.lookup_key ?? price.id;
  const free = parseDecimal('0');
  const own = (tiers: Price['tiers'], rated: boolean) => ({ price: { id, meter: meter as MeterName, tiers }, rated });
  if (price.transform_quantity !== null) return own([{ upTo: null, unitAmount: free }], false);
  if (price.billing_scheme === 'per_unit') {
    const unitAmount = price.unit_amount_decimal;
    return unitAmount === null
      ? own([{ upTo: null, unitAmount: free }], false)
      : own([{ upTo: null, unitAmount: parseDecimal(unitAmount.toString()) }], true);
  }
  const tiers = price.tiers ?? [];
  const flat = tiers.some(({ flat_amount_decimal: amount }) => amount !== null && amount.toString() !== '0');
  if (price.tiers_mode !== 'graduated' || flat || tiers.length === 0) {
    return own([{ upTo: null, unitAmount: free }], false);
  }
  const rated = tiers.map((tier) => ({
    upTo: tier.up_to === null ? null : fromWireInteger(tier.up_to, `tier of ${price.id}`),
    unitAmount: tier.unit_amount_decimal === null ? free : parseDecimal(tier.unit_amount_decimal.toString()),
  }));
  return own(rated, true);
}
