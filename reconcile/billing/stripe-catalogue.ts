// What Stripe must know before it can bill: meters, products, prices, customers, subscriptions. Every function may run
// again: it finds what is there (by event name, product id, lookup key, metadata) before it creates.

import { Stripe } from 'stripe';
import { TrueupError, invariant } from '../../domain/contracts/errors.ts';
import { formatDecimal } from '../../domain/decimal.ts';
import { METERS, METER_UNITS, type MeterName } from '../../domain/meter.ts';
import type { Price, Tier } from '../../domain/price-book.ts';
import type { BillingSetup } from './port.ts';
import { isMissing } from './errors.ts';
import { idOf, read, toSeconds, toWireInteger, writeOnce } from './stripe-call.ts';

export type PriceFacts = {
  readonly lookupKey: string | null;
  /** Null when it is no meter of ours. */
  readonly meter: MeterName | null;
  readonly metered: boolean;
};

/** Ids that never change once made, so they are remembered for the life of the process. */
export type Catalogue = {
  meterId(meter: MeterName): Promise<string>;
  priceId(lookupKey: string): Promise<string>;
  priceFacts(priceId: string): Promise<PriceFacts>;
  /** Remembers a price that was read along with something else, which saves asking for it. */
  learnPrice(price: Stripe.Price): Promise<void>;
};

/** `meterOf` names a meter by its id where the account's meters are not ours, as in an audit. */
export function createCatalogue(stripe: Stripe, meterOf?: (meterId: string) => MeterName | null): Catalogue {
  const meters = new Map<string, string>();
  const prices = new Map<string, PriceFacts>();
  const loadMeters = async () => {
    const list = await read('meters', async () =>
      stripe.billing.meters.list({ limit: 100 }).autoPagingToArray({ limit: 1000 }),
    );
    for (const meter of list) if (meter.status === 'active') meters.set(meter.event_name, meter.id);
  };
  const meterId = async (meter: MeterName) => {
    if (!meters.has(meter)) await loadMeters();
    return meters.get(meter) ?? notFound(`meter ${meter}`);
  };
  const remember = async (price: Stripe.Price) => {
    if (meters.size === 0) await loadMeters();
    const of = price.recurring?.meter ?? null;
    const own = METERS.find((name) => of !== null && meters.get(name) === of) ?? null;
    const meter = meterOf === undefined || of === null ? own : meterOf(of);
    const facts = { lookupKey: price.lookup_key, meter, metered: price.recurring?.usage_type === 'metered' };
    prices.set(price.id, facts);
    return facts;
  };
  return {
    meterId,
    priceId: async (lookupKey) => (await findPrice(stripe, lookupKey))?.id ?? notFound(`price ${lookupKey}`),
    priceFacts: async (priceId) => {
      const known =
        prices.get(priceId) ?? (await read(`price ${priceId}`, async () => stripe.prices.retrieve(priceId)));
      return 'metered' in known ? known : remember(known);
    },
    learnPrice: async (price) => {
      if (!prices.has(price.id)) await remember(price);
    },
  };
}

function notFound(what: string): never {
  throw new TrueupError({
    kind: 'rejected',
    code: 'STRIPE_NOT_FOUND',
    message: `Stripe has no ${what}`,
    next: 'provision billing before closing a period',
  });
}

async function findPrice(stripe: Stripe, lookupKey: string): Promise<Stripe.Price | undefined> {
  const found = await read(`price ${lookupKey}`, async () =>
    stripe.prices.list({ lookup_keys: [lookupKey], limit: 1 }),
  );
  return found.data[0];
}

type Setup = Omit<BillingSetup, 'ensureReductions' | 'ensureGrant' | 'changePrices'>;

export function createSetup(stripe: Stripe, catalogue: Catalogue): Setup {
  return {
    ensureMeters: async () => {
      for (const meter of METERS) await ensureMeter(stripe, meter);
    },
    ensureProducts: async () => {
      for (const meter of METERS) await ensureProduct(stripe, meter);
    },
    ensurePrice: async (price, currency) => {
      const made = await writeOnce({
        what: `price ${price.id}`,
        key: `price-${price.id}-${currency}`,
        look: async () => findPrice(stripe, price.id),
        send: async (options) => stripe.prices.create(await toPrice(price, currency, catalogue), options),
      });
      // Its amounts are minor units: in another currency the same figures are other money.
      invariant(
        made.currency === currency,
        'I5',
        `price ${price.id} exists in Stripe in ${made.currency}, agreed is ${currency}; archive it and take its lookup key away`,
      );
    },
    ensureCustomer: async (account, options = {}) => ensureCustomer(stripe, account, options.testClock),
    ensureSubscription: async (ref, prices, currency, { trialEndAtMs } = {}) => {
      const items = await Promise.all(prices.map(async (price) => ({ price: await catalogue.priceId(price.id) })));
      const params: Stripe.SubscriptionCreateParams = {
        customer: ref.customer,
        currency,
        items,
        billing_mode: { type: 'flexible' },
        billing_cycle_anchor_config: { day_of_month: 1, hour: 0, minute: 0, second: 0 },
        proration_behavior: 'none',
        collection_method: 'send_invoice',
        days_until_due: 30,
        ...(trialEndAtMs === undefined ? {} : { trial_end: toSeconds(trialEndAtMs) }),
        metadata: { account: ref.account },
      };
      const subscription = await writeOnce({
        what: `subscription of ${ref.account}`,
        key: `subscription-${ref.account}`,
        look: async () => findSubscription(stripe, ref),
        send: async (sending) => stripe.subscriptions.create(params, sending),
      });
      // In classic mode a price swap in mid-period silently drops the usage before it.
      invariant(
        subscription.billing_mode.type === 'flexible',
        'I5',
        `subscription of ${ref.account} bills in ${subscription.billing_mode.type} mode; migrate it to flexible`,
      );
      return subscription.id;
    },
  };
}

async function ensureMeter(stripe: Stripe, meter: MeterName): Promise<void> {
  const params: Stripe.Billing.MeterCreateParams = {
    display_name: `${meter} (${METER_UNITS[meter].unit})`,
    event_name: meter,
    default_aggregation: { formula: 'sum' },
    event_time_window: 'hour',
    customer_mapping: { type: 'by_id', event_payload_key: 'stripe_customer_id' },
    value_settings: { event_payload_key: 'value' },
  };
  const made = await writeOnce({
    what: `meter ${meter}`,
    key: `meter-${meter}`,
    look: async () => {
      const list = await stripe.billing.meters.list({ limit: 100 }).autoPagingToArray({ limit: 1000 });
      return list.find((candidate) => candidate.event_name === meter);
    },
    send: async (options) => stripe.billing.meters.create(params, options),
  });
  // Without the hour window a repeated push would be added instead of replacing the hour.
  invariant(
    made.event_time_window === 'hour' && made.default_aggregation.formula === 'sum',
    'I7',
    `meter ${meter} exists in Stripe without hour windows of sums; deactivate it and make a new one`,
  );
}

async function ensureProduct(stripe: Stripe, meter: MeterName): Promise<void> {
  await writeOnce({
    what: `product ${meter}`,
    key: `product-${meter}`,
    look: async () => {
      try {
        return await stripe.products.retrieve(productId(meter));
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    send: async (options) =>
      stripe.products.create({ id: productId(meter), name: meter.replaceAll('_', ' ') }, options),
  });
}

const productId = (meter: MeterName) => `trueup-${meter.replaceAll('_', '-')}`;

async function toPrice(price: Price, currency: string, catalogue: Catalogue): Promise<Stripe.PriceCreateParams> {
  return {
    currency,
    product: productId(price.meter),
    lookup_key: price.id,
    nickname: price.id,
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: price.tiers.map(toTier),
    recurring: { interval: 'month', usage_type: 'metered', meter: await catalogue.meterId(price.meter) },
    metadata: { meter: price.meter, price: price.id },
  };
}

function toTier(tier: Tier): Stripe.PriceCreateParams.Tier {
  return {
    up_to: tier.upTo === null ? 'inf' : toWireInteger(tier.upTo, 'tier boundary'),
    unit_amount_decimal: Stripe.Decimal.from(formatDecimal(tier.unitAmount)),
  };
}

async function ensureCustomer(stripe: Stripe, account: string, testClock: string | undefined): Promise<string> {
  let lookedBefore = false;
  return writeOnce({
    what: `customer of ${account}`,
    key: `customer-${account}`,
    // A key protects for a day; what is older is found by search, which lags by a minute. Listing all customers is slow, so
    // it is left to a second attempt, which must know.
    look: async () => {
      const mine = { query: `metadata['account']:'${account}'`, limit: 100 };
      const { data } = await stripe.customers.search(mine);
      const found = data.find((customer) => idOf(customer.test_clock) === (testClock ?? null));
      if (found !== undefined || !lookedBefore) {
        lookedBefore = true;
        return found?.id;
      }
      const on = testClock === undefined ? {} : { test_clock: testClock };
      for await (const customer of stripe.customers.list({ limit: 100, ...on })) {
        if (customer.metadata['account'] === account) return customer.id;
      }
      return undefined;
    },
    send: async (options) => {
      const clock = testClock === undefined ? {} : { test_clock: testClock };
      return (await stripe.customers.create({ metadata: { account }, ...clock }, options)).id;
    },
  });
}

async function findSubscription(
  stripe: Stripe,
  ref: { readonly account: string; readonly customer: string },
): Promise<Stripe.Subscription | undefined> {
  const list = await stripe.subscriptions.list({ customer: ref.customer, limit: 100 });
  return list.data.find((candidate) => candidate.metadata['account'] === ref.account);
}
