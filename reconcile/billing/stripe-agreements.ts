// What Stripe must know of an agreement beyond its prices: discount, tax, prepaid credit, and a change of prices inside a
// period. Every function looks first and writes only what differs, so it may run again after any death.

import type { Stripe } from 'stripe';
import type { Discount } from '../../domain/agreement.ts';
import { invariant } from '../../domain/contracts/errors.ts';
import type { OpenGrant } from '../../domain/credits.ts';
import type { Currency } from '../../domain/money.ts';
import { DAY_MS, periodOf, toIso } from '../../domain/period.ts';
import type { Price } from '../../domain/price-book.ts';
import { isMissing } from './errors.ts';
import type { BillingSetup, CustomerRef, SubscriptionRef } from './port.ts';
import { idOf, read, toSeconds, toWireInteger, writeOnce } from './stripe-call.ts';
import type { Catalogue } from './stripe-catalogue.ts';
import { GRANT_KEY, RATE_KEY } from './stripe-metadata.ts';

export function createAgreements(
  stripe: Stripe,
  catalogue: Catalogue,
): Pick<BillingSetup, 'ensureReductions' | 'ensureGrant' | 'changePrices'> {
  const coupon = shared(async (discount: Discount, currency: Currency) => ensureCoupon(stripe, discount, currency));
  const taxRate = shared(async (basisPoints: bigint) => ensureTaxRate(stripe, basisPoints));
  return {
    ensureReductions: async (ref, { discount, taxBasisPoints, currency }) => {
      const rate = taxBasisPoints === null || taxBasisPoints === 0n ? null : await taxRate(taxBasisPoints);
      const off = discount === null || isNothing(discount) ? null : await coupon(discount, currency);
      await setReductions(stripe, ref, { off, rate });
    },
    ensureGrant: async (ref, grant, currency) => ensureGrant(stripe, ref, { grant, currency }),
    changePrices: async (ref, prices, atMs) => changePrices({ stripe, catalogue }, ref, { prices, atMs }),
  };
}

/** One call per argument and process: accounts are set up side by side, and many share a coupon or a rate. */
function shared<Args extends readonly unknown[]>(make: (...of: Args) => Promise<string>) {
  const made = new Map<string, Promise<string>>();
  return async (...of: Args): Promise<string> => {
    const key = JSON.stringify(of, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
    const known = made.get(key) ?? make(...of);
    made.set(key, known);
    known.catch(() => made.delete(key));
    return known;
  };
}

/** Stripe has no coupon of nothing. */
function isNothing(discount: Discount): boolean {
  return (discount.kind === 'percent' ? discount.basisPoints : discount.amountMinor) === 0n;
}

/** A coupon never changes, so its id says all about it. */
async function ensureCoupon(stripe: Stripe, discount: Discount, currency: Currency): Promise<string> {
  const [id, terms]: [string, Stripe.CouponCreateParams] =
    discount.kind === 'percent'
      ? [`trueup-${discount.basisPoints}bp`, { percent_off: toPercent(discount.basisPoints) }]
      : [
          `trueup-${discount.amountMinor}-${currency}`,
          { amount_off: toWireInteger(discount.amountMinor, 'discount'), currency },
        ];
  return writeOnce({
    what: `coupon ${id}`,
    key: `coupon-${id}`,
    look: async () => {
      try {
        return (await stripe.coupons.retrieve(id)).id;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    send: async (options) => (await stripe.coupons.create({ id, ...terms, duration: 'forever' }, options)).id,
  });
}

async function ensureTaxRate(stripe: Stripe, basisPoints: bigint): Promise<string> {
  const mark = basisPoints.toString();
  return writeOnce({
    what: `tax rate of ${mark} basis points`,
    key: `tax-rate-${mark}`,
    look: async () => {
      const rates = await stripe.taxRates
        .list({ active: true, inclusive: false, limit: 100 })
        .autoPagingToArray({ limit: 10_000 });
      return rates.find(({ metadata }) => metadata?.[RATE_KEY] === mark)?.id;
    },
    send: async (options) => {
      const params = { display_name: 'Tax', inclusive: false, percentage: toPercent(basisPoints) };
      return (await stripe.taxRates.create({ ...params, metadata: { [RATE_KEY]: mark } }, options)).id;
    },
  });
}

/** Stripe's percentages are JSON numbers; a hundredth of a whole number is written back with the same two decimals. */
function toPercent(basisPoints: bigint): number {
  return toWireInteger(basisPoints, 'basis points') / 100;
}

type Reductions = { readonly off: string | null; readonly rate: string | null };

async function setReductions(stripe: Stripe, ref: SubscriptionRef, wanted: Reductions): Promise<void> {
  const what = `discount and tax of ${ref.account}`;
  const fetch = async () => readReductions(await stripe.subscriptions.retrieve(ref.subscription, EXPANDED));
  const before = await read(what, fetch);
  if (isSame(before, wanted)) return;
  await writeOnce({
    what,
    key: ['reductions', ref.subscription, name(before), name(wanted)].join('-'),
    look: async () => {
      const found = await fetch();
      return isSame(found, wanted) ? found : undefined;
    },
    send: async (options) => {
      const discounts = wanted.off === null ? ('' as const) : [{ coupon: wanted.off }];
      const rates = wanted.rate === null ? ('' as const) : [wanted.rate];
      const params = { discounts, default_tax_rates: rates, ...EXPANDED };
      return readReductions(await stripe.subscriptions.update(ref.subscription, params, options));
    },
  });
}

const EXPANDED = { expand: ['discounts'] };

type Held = { readonly off: readonly (string | null)[]; readonly rate: readonly string[] };

function readReductions({ discounts, default_tax_rates: rates }: Stripe.Subscription): Held {
  const off = discounts.map((discount) => (typeof discount === 'string' ? null : idOf(discount.source.coupon)));
  return { off, rate: (rates ?? []).map(({ id }) => id) };
}

function isSame(held: Held, wanted: Reductions): boolean {
  const alike = (ids: readonly (string | null)[], id: string | null) =>
    id === null ? ids.length === 0 : ids.length === 1 && ids[0] === id;
  return alike(held.off, wanted.off) && alike(held.rate, wanted.rate);
}

function name({ off, rate }: Held | Reductions): string {
  return [off, rate].flat().join('+');
}

/** Stripe takes credit when a period's invoice is finalized, days after the period; ours is of the period's last instant. */
const FINALIZED_WITHIN_MS = 3 * DAY_MS;

/** So both ends move behind the finalization of the month before. Months of whole grants stay whole. */
function afterFinalization(atMs: number): number {
  return periodOf(atMs).startAtMs + FINALIZED_WITHIN_MS;
}

async function ensureGrant(
  stripe: Stripe,
  ref: CustomerRef,
  { grant, currency }: { readonly grant: OpenGrant; readonly currency: Currency },
): Promise<void> {
  const what = `credit grant ${grant.id} of ${ref.account}`;
  await writeOnce({
    what,
    key: `grant-${ref.account}-${grant.id}`,
    look: async () => {
      const grants = await stripe.billing.creditGrants
        .list({ customer: ref.customer, limit: 100 })
        .autoPagingToArray({ limit: 10_000 });
      return grants.find(({ metadata }) => metadata[GRANT_KEY] === grant.id)?.id;
    },
    send: async (options) => {
      const value = toWireInteger(grant.remainingMinor, what);
      const params: Stripe.Billing.CreditGrantCreateParams = {
        customer: ref.customer,
        name: grant.id,
        category: 'paid',
        amount: { type: 'monetary', monetary: { currency, value } },
        applicability_config: { scope: { price_type: 'metered' } },
        priority: grant.priority,
        effective_at: toSeconds(Math.max(grant.effectiveAtMs, afterFinalization(grant.effectiveAtMs))),
        ...(grant.expiresAtMs === null ? {} : { expires_at: toSeconds(afterFinalization(grant.expiresAtMs)) }),
        metadata: { account: ref.account, [GRANT_KEY]: grant.id },
      };
      return (await stripe.billing.creditGrants.create(params, options)).id;
    },
  });
}

async function changePrices(
  { stripe, catalogue }: { readonly stripe: Stripe; readonly catalogue: Catalogue },
  ref: SubscriptionRef,
  { prices, atMs }: { readonly prices: readonly Price[]; readonly atMs: number },
): Promise<void> {
  const what = `prices of ${ref.account} from ${toIso(atMs)}`;
  const fetchSwaps = async () => {
    const subscription = await stripe.subscriptions.retrieve(ref.subscription);
    // In classic mode a swap silently drops the usage before it.
    invariant(
      subscription.billing_mode.type === 'flexible',
      'I5',
      `subscription of ${ref.account} bills in ${subscription.billing_mode.type} mode; migrate it to flexible`,
    );
    return computeSwaps(subscription, { prices, catalogue, account: ref.account });
  };
  if ((await read(what, fetchSwaps)).length === 0) return;
  await writeOnce({
    what,
    key: `prices-${ref.account}-${toSeconds(atMs)}`,
    look: async () => ((await fetchSwaps()).length === 0 ? ref.subscription : undefined),
    send: async (options) => {
      const items = await fetchSwaps();
      const params = { items, proration_behavior: 'create_prorations' as const };
      return (await stripe.subscriptions.update(ref.subscription, params, options)).id;
    },
  });
}

/** The items whose price differs from the agreed one of their meter. */
async function computeSwaps(
  subscription: Stripe.Subscription,
  of: { readonly prices: readonly Price[]; readonly catalogue: Catalogue; readonly account: string },
): Promise<{ id: string; price: string }[]> {
  const { catalogue, account } = of;
  const swaps: { id: string; price: string }[] = [];
  for (const { price } of subscription.items.data) await catalogue.learnPrice(price);
  const items = await Promise.all(
    subscription.items.data.map(async ({ id, price }) => ({ item: id, ...(await catalogue.priceFacts(price.id)) })),
  );
  for (const { meter, id } of of.prices) {
    const current = items.find((one) => one.meter === meter);
    invariant(current !== undefined, 'I5', `subscription of ${account} has no item for meter ${meter}`);
    if (current.lookupKey !== id) swaps.push({ id: current.item, price: await catalogue.priceId(id) });
  }
  return swaps;
}
