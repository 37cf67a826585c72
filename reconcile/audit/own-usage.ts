// Own usage for an audit: what the audited business says its customers used, from files or from a ClickHouse table. Nothing
// of it is written anywhere. A row that can't be used stops the audit with its place: usage that is left out silently would
// show as Stripe's mistake.

import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';
import { z } from 'zod';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { parseWhole } from '../../domain/decimal.ts';
import { hourOf, periodContains, type Period } from '../../domain/period.ts';
import type { ClickHouse } from '../../platform/clickhouse.ts';

/** By customer (Stripe's id), then by meter (its event name), then by hour. */
export type OwnUsage = ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<number, bigint>>>;

const ROW = z.object({
  /** Stripe's customer id. */
  customer: z.string().min(1),
  /** The meter's event name. */
  meter: z.string().min(1),
  /** When it was used, RFC 3339; taken by its UTC hour. */
  time: z.iso.datetime({ offset: true }),
  /** Whole number, as text or number. */
  quantity: z.union([z.string(), z.number().int().transform(String)]),
});

type Row = z.infer<typeof ROW>;

export type Read = { readonly usage: OwnUsage; readonly rows: number; readonly outside: number };

const EXTENSIONS = ['.csv', '.ndjson', '.jsonl'];

/** Reads every .csv (with a header), .ndjson and .jsonl file of a folder. Throws `rejected` USAGE_UNREADABLE with file and row. */
export async function readUsageFolder(folder: string, period: Period): Promise<Read> {
  const files = readdirSync(folder)
    .filter((name) => EXTENSIONS.some((extension) => name.endsWith(extension)))
    .sort();
  if (files.length === 0) {
    throw unreadable(
      `${folder} holds no usage`,
      `put ${EXTENSIONS.join(', ')} files with customer, meter, time, quantity there`,
    );
  }
  const collected = collect(period);
  for (const name of files) {
    const path = join(folder, name);
    let row = 0;
    for await (const record of name.endsWith('.csv') ? readCsv(path) : readLines(path)) {
      row += 1;
      collected.add(toRow(record, `${name}, record ${row}`), `${name}, record ${row}`);
    }
  }
  return collected.read();
}

/** Reads a table or view with the columns customer, meter, time and quantity. */
export async function readUsageTable(clickhouse: ClickHouse, table: string, period: Period): Promise<Read> {
  const rows = await clickhouse.query<Row & { hour: number }>(
    `SELECT customer, meter, toUnixTimestamp(toStartOfHour(time)) AS hour, toString(sum(quantity)) AS quantity
     FROM {table:Identifier}
     WHERE time >= toDateTime({from:UInt32}, 'UTC') AND time < toDateTime({to:UInt32}, 'UTC')
     GROUP BY customer, meter, hour`,
    { table, from: period.startAtMs / 1000, to: period.endAtMs / 1000 },
  );
  const collected = collect(period);
  for (const { customer, meter, hour, quantity } of rows) {
    const time = new Date(hour * 1000).toISOString();
    collected.add({ customer, meter, time, quantity }, `${table}, ${customer} ${meter} ${time}`);
  }
  return collected.read();
}

async function* readCsv(path: string): AsyncIterable<unknown> {
  const parser = parse({ columns: true, bom: true, trim: true, skip_empty_lines: true });
  yield* createReadStream(path).pipe(parser);
}

async function* readLines(path: string): AsyncIterable<unknown> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (line.trim() !== '') yield JSON.parse(line) as unknown;
  }
}

function toRow(record: unknown, place: string): Row {
  const parsed = ROW.safeParse(record);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unreadable(`${place}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`, 'correct the record');
}

function collect(period: Period) {
  const usage = new Map<string, Map<string, Map<number, bigint>>>();
  let rows = 0;
  let outside = 0;
  return {
    add: ({ customer, meter, time, quantity }: Row, place: string) => {
      rows += 1;
      const atMs = Date.parse(time);
      if (!periodContains(period, atMs)) {
        outside += 1;
        return;
      }
      const meters = entry(usage, customer, () => new Map<string, Map<number, bigint>>());
      const hours = entry(meters, meter, () => new Map<number, bigint>());
      const hour = hourOf(atMs);
      hours.set(hour, (hours.get(hour) ?? 0n) + toQuantity(quantity, place));
    },
    read: (): Read => ({ usage, rows, outside }),
  };
}

/** The value under `key`, made when it is not there. */
function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function toQuantity(text: string, place: string): bigint {
  try {
    return parseWhole(text);
  } catch (cause) {
    throw unreadable(
      `${place}: quantity "${text}" is not a whole number`,
      'give it in the unit the meter counts in',
      cause,
    );
  }
}

function unreadable(message: string, next: string, cause?: unknown): TrueupError {
  return new TrueupError({ kind: 'rejected', code: 'USAGE_UNREADABLE', message, next, cause });
}
