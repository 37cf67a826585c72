// Usage to Stripe and back. Hour windows hold one value each, the last received, so an hour's absolute total may be sent
// any number of times. An event's identifier never repeats (meter-identifier.ts).
// The v2 stream validates after it has answered: only reading back proves that a push counts.

import type { Stripe } from 'stripe';
import { TrueupError } from '../../domain/contracts/errors.ts';
import type { MeterName } from '../../domain/meter.ts';
import { toIso, type Period } from '../../domain/period.ts';
import { isTooOldToMeter } from './age.ts';
import { formatMeterIdentifier } from './meter-identifier.ts';
import { isSessionExpired, toTrueupError } from './errors.ts';
import type { BillingUsage, CustomerRef, HourValue } from './port.ts';
import { createClient, fromSeconds, fromWireInteger, read, toSeconds, type StripeOptions } from './stripe-call.ts';
import type { Catalogue } from './stripe-catalogue.ts';

/** The stream takes 100 events a request. */
const EVENTS_PER_REQUEST = 100;
/** Stripe counts usage in 15 significant digits; a larger value would be rounded silently. */
const VALUE_LIMIT = 10n ** 15n;

export function createUsage(stripe: Stripe, catalogue: Catalogue, options: StripeOptions): BillingUsage {
  const stream = createStream(stripe, options);
  return {
    pushHours: async (ref, values, nowMs) => {
      for (const value of values) checkValue(ref, value, nowMs);
      for (let from = 0; from < values.length; from += EVENTS_PER_REQUEST) {
        await stream.send(values.slice(from, from + EVENTS_PER_REQUEST).map((value) => toEvent(ref, value)));
      }
    },
    fetchSummary: async (ref, meter, period) => {
      const what = `summary of ${meter} for ${ref.account}`;
      const id = await catalogue.meterId(meter);
      const page = await read(what, async () => stripe.billing.meters.listEventSummaries(id, toSpan(ref, period)));
      // One ungrouped summary covers the whole span; no summary at all is Stripe's way of saying none was reported.
      return page.data.reduce((sum, entry) => sum + fromWireInteger(entry.aggregated_value, what), 0n);
    },
    fetchHourSummaries: async (ref, meter, period) => fetchHours(stripe, { ref, meter, period }, catalogue),
  };
}

async function fetchHours(
  stripe: Stripe,
  of: { ref: CustomerRef; meter: MeterName; period: Period },
  catalogue: Catalogue,
): Promise<Map<number, bigint>> {
  const what = `hours of ${of.meter} for ${of.ref.account}`;
  const id = await catalogue.meterId(of.meter);
  const params = { ...toSpan(of.ref, of.period), value_grouping_window: 'hour' as const, limit: 100 };
  const entries = await read(what, async () =>
    stripe.billing.meters.listEventSummaries(id, params).autoPagingToArray({ limit: 10_000 }),
  );
  const hours = new Map<number, bigint>();
  for (const entry of entries) {
    const at = fromSeconds(entry.start_time);
    hours.set(at, (hours.get(at) ?? 0n) + fromWireInteger(entry.aggregated_value, what));
  }
  return hours;
}

function toSpan(ref: CustomerRef, period: Period) {
  return { customer: ref.customer, start_time: toSeconds(period.startAtMs), end_time: toSeconds(period.endAtMs) };
}

function checkValue(ref: CustomerRef, { meter, hourAtMs, quantity }: HourValue, nowMs: number): void {
  const where = `${meter} of ${ref.account} at ${toIso(hourAtMs)}`;
  if (quantity < 0n || quantity >= VALUE_LIMIT) {
    throw new TrueupError({
      kind: 'rejected',
      code: 'QUANTITY_TOO_LARGE',
      message: `${where} is ${quantity}, outside what Stripe counts exactly (0 to 15 digits)`,
      field: 'quantity',
      next: 'choose a coarser meter unit for this meter in domain/meter.ts',
    });
  }
  if (isTooOldToMeter(hourAtMs, nowMs)) {
    throw new TrueupError({
      kind: 'rejected',
      code: 'METER_HOUR_TOO_OLD',
      message: `${where} is older than the 34 days in which Stripe takes usage`,
      field: 'hour',
      next: 'bill it as an invoice item or write it off',
    });
  }
}

function toEvent(ref: CustomerRef, value: HourValue) {
  return {
    event_name: value.meter,
    identifier: formatMeterIdentifier({ customer: ref.customer, ...value }),
    timestamp: toIso(value.hourAtMs),
    payload: { stripe_customer_id: ref.customer, value: value.quantity.toString() },
  };
}

type StreamEvent = ReturnType<typeof toEvent>;

/** The stream has its own short-lived key; one that ran out is renewed and the same events are sent again. */
function createStream(stripe: Stripe, options: StripeOptions): { send(events: StreamEvent[]): Promise<void> } {
  let session: Promise<Stripe> | undefined;
  const open = async () => {
    const made = await read('meter event session', async () => stripe.v2.billing.meterEventSession.create());
    return createClient({ ...options, key: made.authentication_token });
  };
  const renew = () => {
    session = open();
    // A failed renewal must not be remembered: the next push tries again.
    session.catch(() => (session = undefined));
    return session;
  };
  return {
    send: async (events) => {
      const used = session ?? renew();
      try {
        await (await used).v2.billing.meterEventStream.create({ events });
      } catch (error) {
        if (!isSessionExpired(error)) throw toTrueupError(error, 'meter event stream');
        const fresh = session === used ? renew() : (session ?? renew());
        await read('meter event stream', async () => (await fresh).v2.billing.meterEventStream.create({ events }));
      }
    },
  };
}
