// Stripe's doorbells over the SDK. Of an event nothing is read but ids: its snapshot is frozen in another API version, its
// decimals are strings where the types say otherwise, and it may come late, so what counts is what is read again.

import { Stripe } from 'stripe';
import { toTrueupError, isMissing } from './errors.ts';
import {
  createClient,
  fromSeconds,
  fromWireInteger,
  idOf,
  read,
  toSeconds,
  type StripeOptions,
} from './stripe-call.ts';
import type { Doorbell, MeterErrors, ObjectState, Opened, Target, WebhookSource } from '../webhooks/port.ts';

export type WebhookSourceOptions = StripeOptions & {
  /** Signing secrets of all endpoints; while one is rotated, the old and the new. */
  readonly secrets: readonly string[];
};

/** What Stripe itself recommends; a replay of an older delivery is refused. */
const TOLERANCE_S = 300;
const PAGE = 100;

/** What an endpoint should ask for, and what the sweep lists (20 types at most). */
const SNAPSHOT_TYPES = [
  'invoice.created',
  'invoice.finalized',
  'invoice.finalization_failed',
  'invoice.paid',
  'invoice.payment_failed',
  'invoice.payment_action_required',
  'invoice.voided',
  'invoice.marked_uncollectible',
  'invoice.overpaid',
  'invoice.updated',
  'credit_note.created',
  'credit_note.updated',
  'credit_note.voided',
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'customer.subscription.paused',
  'customer.subscription.resumed',
  'billing.meter.updated',
  'billing.meter.deactivated',
];
/** Meter errors exist as thin events only. */
const METER_ERROR = 'v1.billing.meter.error_report_triggered';
const NO_METER = 'v1.billing.meter.no_meter_found';

export function createWebhookSource(options: WebhookSourceOptions): WebhookSource {
  const stripe = createClient(options);
  return {
    openDoorbell: (raw, signature) => openDoorbell(raw, signature, options.secrets),
    listDoorbells: (sinceMs) => listDoorbells(stripe, sinceMs),
    listInvoices: (sinceMs) => listInvoices(stripe, sinceMs),
    fetchState: async (target) => fetchState(stripe, target),
    fetchMeterErrors: async (eventId) => fetchMeterErrors(stripe, eventId),
  };
}

function isSigned(raw: Uint8Array, signature: string, of: { secret: string; toleranceS: number }): boolean {
  try {
    // Static: the check needs no client and no key.
    return Stripe.webhooks.signature?.verifyHeader(raw, signature, of.secret, of.toleranceS) ?? false;
  } catch {
    return false;
  }
}

function openDoorbell(raw: Uint8Array, signature: string | undefined, secrets: readonly string[]): Opened {
  const signed = (toleranceS: number) =>
    signature !== undefined && secrets.some((secret) => isSigned(raw, signature, { secret, toleranceS }));
  if (!signed(TOLERANCE_S)) return { ok: false, refusal: signed(0) ? 'SIGNATURE_STALE' : 'SIGNATURE_INVALID' };
  const doorbell = parseDoorbell(raw);
  return doorbell === undefined ? { ok: false, refusal: 'BODY_INVALID' } : { ok: true, doorbell };
}

function parseDoorbell(raw: Uint8Array): Doorbell | undefined {
  try {
    const event = JSON.parse(Buffer.from(raw).toString('utf8')) as Record<string, unknown>;
    return event['object'] === 'v2.core.event' ? fromThin(event) : fromSnapshot(event);
  } catch {
    return undefined;
  }
}

type Loose = Readonly<Record<string, unknown>>;
const textOr = <Else>(value: unknown, otherwise: Else) => (typeof value === 'string' ? value : otherwise);

/** Undefined for what is no event. Of its object only ids are taken. */
function fromSnapshot({ id, type, created, data, object }: Loose): Doorbell | undefined {
  if (object !== 'event' || typeof id !== 'string' || typeof type !== 'string') return undefined;
  if (typeof created !== 'number' || !Number.isSafeInteger(created)) return undefined;
  const about = ((data as Loose | undefined)?.['object'] ?? {}) as Loose;
  const invoice = about['object'] === 'invoice' ? null : about['invoice'];
  return {
    eventId: id,
    type,
    thin: false,
    object: textOr(about['object'], ''),
    objectId: textOr(about['id'], null),
    invoiceId: idOf(invoice as string | { id: string } | null | undefined),
    createdAtMs: fromSeconds(created),
  };
}

function fromThin({ id, type, created, related_object: related }: Loose): Doorbell | undefined {
  const createdAtMs = Date.parse(textOr(created, ''));
  if (typeof id !== 'string' || typeof type !== 'string' || Number.isNaN(createdAtMs)) return undefined;
  const about = (related ?? {}) as Loose;
  return {
    eventId: id,
    type,
    thin: type === METER_ERROR || type === NO_METER,
    object: textOr(about['type'], ''),
    objectId: textOr(about['id'], null),
    invoiceId: null,
    createdAtMs,
  };
}

async function* translated<T>(what: string, pages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    for await (const item of pages) yield item;
  } catch (error) {
    throw toTrueupError(error, what);
  }
}

async function* listDoorbells(stripe: Stripe, sinceMs: number): AsyncGenerator<Doorbell> {
  const created = { gte: toSeconds(sinceMs) };
  const snapshots = stripe.events.list({ created, types: SNAPSHOT_TYPES, limit: PAGE });
  for await (const event of translated('events', snapshots)) {
    const doorbell = fromSnapshot(event as unknown as Loose);
    if (doorbell !== undefined) yield doorbell;
  }
  const thin = stripe.v2.core.events.list({ types: [METER_ERROR, NO_METER], limit: PAGE });
  for await (const event of translated('meter error events', thin)) {
    const doorbell = fromThin(event as unknown as Loose);
    if (doorbell !== undefined) yield doorbell;
  }
}

async function* listInvoices(
  stripe: Stripe,
  sinceMs: number,
): AsyncGenerator<ObjectState & { readonly createdAtMs: number }> {
  const pages = stripe.invoices.list({ created: { gte: toSeconds(sinceMs) }, limit: PAGE });
  for await (const { id, status, created } of translated('invoices', pages)) {
    yield { kind: 'invoice', id, status: status ?? 'unknown', createdAtMs: fromSeconds(created) };
  }
}

async function fetchState(stripe: Stripe, target: Target): Promise<ObjectState> {
  const { kind, id } = target;
  try {
    return { kind, id, ...(await fetchStatus(stripe, target)) };
  } catch (error) {
    if (isMissing(error)) return { kind, id, status: 'missing' };
    throw toTrueupError(error, `${kind} ${id}`);
  }
}

async function fetchStatus(stripe: Stripe, { kind, id }: Target): Promise<Omit<ObjectState, keyof Target>> {
  if (kind === 'subscription') return { status: (await stripe.subscriptions.retrieve(id)).status };
  if (kind === 'meter') return { status: (await stripe.billing.meters.retrieve(id)).status };
  const { status, billing_reason: reason, period_end: end } = await stripe.invoices.retrieve(id);
  const cycle = reason === 'subscription_cycle' ? { cycleEndAtMs: fromSeconds(end) } : {};
  return { status: status ?? 'unknown', ...cycle };
}

async function fetchMeterErrors(stripe: Stripe, eventId: string): Promise<MeterErrors[]> {
  const event = await read(`event ${eventId}`, async () => stripe.v2.core.events.retrieve(eventId));
  if (event.type !== METER_ERROR && event.type !== NO_METER) return [];
  const { data } = event;
  const meter = event.type === METER_ERROR ? event.related_object.id : null;
  return data.reason.error_types.map((found) => ({
    code: found.code,
    meter,
    startAtMs: Date.parse(data.validation_start),
    endAtMs: Date.parse(data.validation_end),
    count: fromWireInteger(found.error_count, `errors of ${eventId}`),
    sampleIds: found.sample_errors.map((sample) => sample.request.identifier).filter((id) => id !== ''),
  }));
}
