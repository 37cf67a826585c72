// What this room needs of whoever rings: to open a doorbell, to list what should have rung, and to read again what it was
// about. One adapter exists (billing/stripe-webhooks.ts). Every failed call throws one of the four error kinds.

/** What an event is about, by ids alone. */
export type Doorbell = {
  readonly eventId: string;
  readonly type: string;
  /** The event's own data must be fetched: it carries what no object holds. */
  readonly thin: boolean;
  /** The kind of object, in the vendor's word. */
  readonly object: string;
  readonly objectId: string | null;
  /** The invoice of an object that is part of one. */
  readonly invoiceId: string | null;
  readonly createdAtMs: number;
};

/** STALE: rightly signed, too long ago. Both are refused; only an attacker or a wrong clock makes the second. */
export type Refusal = 'SIGNATURE_INVALID' | 'SIGNATURE_STALE' | 'BODY_INVALID';
export type Opened =
  { readonly ok: true; readonly doorbell: Doorbell } | { readonly ok: false; readonly refusal: Refusal };

export type TargetKind = 'invoice' | 'subscription' | 'meter';
/** An object that has to be read again. */
export type Target = { readonly kind: TargetKind; readonly id: string };
export type ObjectState = Target & {
  readonly status: string;
  /** Of an invoice that a subscription's cycle made: where the cycle it bills ended. */
  readonly cycleEndAtMs?: number;
};

/** Usage that was taken in and could not be used, by code. `meter` is the vendor's id. */
export type MeterErrors = {
  readonly code: string;
  readonly meter: string | null;
  readonly startAtMs: number;
  readonly endAtMs: number;
  readonly count: bigint;
  readonly sampleIds: readonly string[];
};

export type WebhookSource = {
  /** Checks the signature over the bytes as they came and reads the ids; computes only. */
  openDoorbell(raw: Uint8Array, signature: string | undefined): Opened;
  /** What was created since; newest first, 30 days back at most. */
  listDoorbells(sinceMs: number): AsyncIterable<Doorbell>;
  listInvoices(sinceMs: number): AsyncIterable<ObjectState & { readonly createdAtMs: number }>;
  /** As it is now; status `missing` when it is gone. */
  fetchState(target: Target): Promise<ObjectState>;
  fetchMeterErrors(eventId: string): Promise<readonly MeterErrors[]>;
};

/** What reads these tables acts on: an object was read again after a ring. May be called more than once. */
export type OnChange = (state: ObjectState) => Promise<void>;

/** What has to be read again after a ring; undefined when nothing of ours depends on it. */
export function toTarget({ object, objectId, invoiceId }: Doorbell): Target | undefined {
  if (invoiceId !== null) return { kind: 'invoice', id: invoiceId };
  if (objectId === null) return undefined;
  if (object === 'invoice' || object === 'subscription') return { kind: object, id: objectId };
  return object === 'billing.meter' ? { kind: 'meter', id: objectId } : undefined;
}
