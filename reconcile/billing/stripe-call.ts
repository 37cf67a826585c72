// How the adapter calls Stripe: reads are translated, writes carry a business-derived idempotency key and take effect
// once. Dying between a write and its answer is harmless: the repeat finds the effect, or replays it by its key.

import { Stripe } from 'stripe';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { isReplayed, isServerFault, toTrueupError } from './errors.ts';
import { createHttpClient, type HttpClient, type HttpClientOptions } from './stripe-http.ts';

/** Every stage reads with this; `what` names the object for the message. */
export async function read<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toTrueupError(error, what);
  }
}

export type Write<T> = {
  readonly what: string;
  /** Business identity, never an attempt: the same effect has the same key in every process. */
  readonly key: string;
  /** Finds the effect where it already exists. */
  readonly look: () => Promise<T | undefined>;
  readonly send: (options: { idempotencyKey: string }) => Promise<T>;
};

/** A stored 5xx is replayed for a day: so many new keys are tried, each after a look. */
const REVISIONS_MAX = 3;

/**
 * Looks first (a key protects for a day only), then writes. After a 5xx the truth is looked for and the same key tried once
 * more; only a key that is known to be burnt, because its stored 5xx was replayed, gives way to a new one.
 */
export async function writeOnce<T>({ what, key, look, send }: Write<T>): Promise<T> {
  let revision = 1;
  let faults = 0;
  for (;;) {
    const found = await read(what, look);
    if (found !== undefined) return found;
    try {
      return await send({ idempotencyKey: revision === 1 ? key : `${key}-r${revision}` });
    } catch (error) {
      const burnt = isReplayed(error) && revision < REVISIONS_MAX;
      if (!isServerFault(error) || (!burnt && faults > 0)) throw toTrueupError(error, what);
      if (burnt) revision += 1;
      faults = burnt ? 0 : faults + 1;
    }
  }
}

/** Stripe's JSON numbers are exact up to 2^53 only; beyond that neither side could be trusted. */
export function fromWireInteger(value: number, what: string): bigint {
  if (!Number.isSafeInteger(value)) {
    throw new TrueupError({
      kind: 'bug',
      code: 'STRIPE_UNEXPECTED',
      message: `${what} is ${value}, which is not an exactly readable whole number`,
    });
  }
  return BigInt(value);
}

export function toWireInteger(value: bigint, what: string): number {
  const wire = Number(value);
  if (!Number.isSafeInteger(wire)) {
    throw new TrueupError({ kind: 'rejected', code: 'QUANTITY_TOO_LARGE', message: `${what} ${value} exceeds 2^53` });
  }
  return wire;
}

export function toSeconds(atMs: number): number {
  return Math.floor(atMs / 1000);
}

export function fromSeconds(atSeconds: number): number {
  return atSeconds * 1000;
}

/** References come as ids unless expansion was asked for, which this adapter never does. */
export function idOf(reference: string | { readonly id: string } | null | undefined): string | null {
  if (reference === null || reference === undefined) return null;
  return typeof reference === 'string' ? reference : reference.id;
}

/** Every call waits for the pace; it is left out where nothing limits. */
export type StripeOptions = HttpClientOptions & {
  readonly key: string;
  readonly url?: string | undefined;
};

/** The API version is pinned by the SDK's version; retries belong to the workflow engine alone. */
export function createClient(
  { key, url, ...of }: StripeOptions,
  httpClient: HttpClient = createHttpClient(of),
): Stripe {
  const at = url === undefined ? undefined : new URL(url);
  const plain = at?.protocol === 'http:';
  return new Stripe(key, {
    maxNetworkRetries: 0,
    telemetry: false,
    timeout: 30_000,
    httpClient,
    ...(at === undefined
      ? {}
      : { host: at.hostname, port: at.port === '' ? (plain ? 80 : 443) : at.port, protocol: plain ? 'http' : 'https' }),
  });
}
