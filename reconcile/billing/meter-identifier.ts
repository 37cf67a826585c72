// The identifier of a meter event. It never repeats, because Stripe discards a repeated one instead of replacing the hour;
// and it names customer, meter and hour, since that is all that a later report of an unusable event says about it. Pure but
// for its random tail.

import { randomBytes } from 'node:crypto';
import { METERS, type MeterName } from '../../domain/meter.ts';

export type MeterIdentifier = { readonly customer: string; readonly meter: MeterName; readonly hourAtMs: number };

/** At most 100 characters, which is Stripe's limit. */
export function formatMeterIdentifier({ customer, meter, hourAtMs }: MeterIdentifier): string {
  return [customer, meter, hourAtMs / 1000, randomBytes(6).toString('hex')].join('.');
}

/** Null for an identifier that is not ours. */
export function parseMeterIdentifier(identifier: string): MeterIdentifier | null {
  const [customer = '', name, hour = '', random = ''] = identifier.split('.');
  const meter = METERS.find((known) => known === name);
  if (customer === '' || meter === undefined || !/^\d+$/.test(hour) || !/^[0-9a-f]{12}$/.test(random)) return null;
  return { customer, meter, hourAtMs: Number(hour) * 1000 };
}
