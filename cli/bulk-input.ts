// What a bulk correction is told on the command line and in a file: new tiers, and quantities as they should have been. Pure but
// for reading the file.

import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import type { AccountHour } from '../aggregate/usage.ts';
import { parseDecimal, parseWhole } from '../domain/decimal.ts';
import { METERS, type MeterName } from '../domain/meter.ts';
import { HOUR_MS } from '../domain/period.ts';
import type { Tier } from '../domain/price-book.ts';
import type { NewTiers } from '../reconcile/books.ts';
import { UsageError } from './command.ts';

const PRICE_FORM =
  '--price is <meter>=<up to>:<amount>,…,rest:<amount>, in meter units and minor units, such as actions=25000000:0,rest:0.0005';

/** One `--price` per meter: tiers in rising order, the last one open. */
export function parsePrices(texts: readonly string[]): NewTiers {
  const prices = new Map<MeterName, readonly Tier[]>();
  for (const text of texts) {
    const [name, tiers, ...more] = text.split('=');
    const meter = METERS.find((one) => one === name);
    if (meter === undefined || tiers === undefined || more.length > 0 || prices.has(meter)) {
      throw new UsageError(PRICE_FORM);
    }
    prices.set(meter, parseTiers(tiers));
  }
  if (prices.size === 0) throw new UsageError(PRICE_FORM);
  return prices;
}

function parseTiers(text: string): Tier[] {
  const tiers = text.split(',').map((one): Tier => {
    const [, upTo = '', amount = ''] = /^(?:(\d+|rest):)?(\d+(?:\.\d+)?)$/.exec(one) ?? [];
    if (amount === '') throw new UsageError(PRICE_FORM);
    return { upTo: upTo === '' || upTo === 'rest' ? null : BigInt(upTo), unitAmount: parseDecimal(amount) };
  });
  for (const [index, { upTo }] of tiers.entries()) {
    const before = tiers[index - 1]?.upTo ?? 0n;
    const isLast = index === tiers.length - 1;
    if (isLast ? upTo !== null : upTo === null || upTo <= before) throw new UsageError(PRICE_FORM);
  }
  return tiers;
}

const ROW = z.object({
  account: z.string().min(1),
  meter: z.enum(METERS),
  hour: z.iso.datetime({ offset: true }),
  quantity: z.string().regex(/^\d+$/, 'is a whole number of meter units'),
});

/** A CSV file with the columns account, meter, hour, quantity: all that the selected usage should have been. */
export function readQuantities(file: string): AccountHour[] {
  const records: unknown[] = parse(readFileSync(file), { columns: true, trim: true, skip_empty_lines: true });
  const seen = new Set<string>();
  return records.map((record, index) => {
    const place = `${file}, row ${index + 2}`;
    const row = ROW.safeParse(record);
    if (!row.success) {
      const [issue] = row.error.issues;
      throw new UsageError(`${place}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not readable'}`);
    }
    const { account, meter, hour, quantity } = row.data;
    const hourAtMs = Date.parse(hour);
    if (hourAtMs % HOUR_MS !== 0) throw new UsageError(`${place}: ${hour} is not the start of an hour`);
    const key = `${account} ${meter} ${hourAtMs}`;
    if (seen.has(key)) throw new UsageError(`${place}: ${account} has ${meter} of ${hour} twice`);
    seen.add(key);
    return { account, meter, hourAtMs, quantity: parseWhole(quantity) };
  });
}
