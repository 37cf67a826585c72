import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { identityKey } from '../domain/event.ts';
import type { LogRecord } from '../platform/kafka.ts';
import { buildBlock, escapeTsv, REJECT_COLUMNS, type Block, type Rows } from './block.ts';
import { orderEvents } from './event-order.ts';
import { readNative } from './testing/native.ts';
import { EVENT_COLUMNS } from '../domain/contracts/tables.ts';
import { toTruth } from './truth-rows.ts';

const ARRIVAL_MS = Date.UTC(2026, 10, 1, 0, 0, 1);

function record(offset: number, change: Record<string, unknown> = {}, timestampMs = ARRIVAL_MS): LogRecord {
  const event = { specversion: '1.0', id: `wf-${offset}`, source: '/cell/1', type: 'query', subject: 'payments.acme' };
  const attributes = { ...event, time: '2026-10-31T23:59:59.500Z', ...change };
  return {
    key: Buffer.from(identityKey(attributes)),
    value: Buffer.from(JSON.stringify(attributes)),
    timestamp: String(timestampMs),
    offset: String(offset),
  };
}

function build(records: readonly LogRecord[]) {
  const range = { topic: 'usage', partition: 3, generation: 2, firstOffset: 40n, endOffset: 60n };
  return buildBlock(range, records, 'a1b2c3d4');
}

function readEvents({ events }: Block): Record<string, string>[] {
  return [...toTruth(orderEvents([events])).values()].flatMap(readNative);
}

/** Reads the engine's tab-separated text back, as an independent check of the escaping. */
function parseTsv(rows: Rows | undefined): string[][] {
  const unescape: Record<string, string> = { t: '\t', n: '\n', r: '\r', '0': '\0', b: '\b', f: '\f', '\\': '\\' };
  const lines = (rows?.bytes.toString('utf8') ?? '').split('\n').slice(0, -1);
  return lines.map((line) =>
    line.split('\t').map((field) => field.replace(/\\(.)/g, (_, c: string) => unescape[c] ?? '?')),
  );
}

function columns(names: readonly string[], rows: Rows | undefined): Record<string, string>[] {
  return parseTsv(rows).map((row) => Object.fromEntries(names.map((name, index) => [name, row[index] ?? ''])));
}

describe('buildBlock', () => {
  test('writes every column of an accepted event with its coordinates', () => {
    const block = build([record(41, { quantity: '7' })]);
    expect(readEvents(block)).toEqual([
      {
        namespace: 'payments.acme',
        type: 'query',
        time: String(Date.UTC(2026, 9, 31, 23, 59, 59, 500)),
        source: '/cell/1',
        id: 'wf-41',
        quantity: '7.000000000000',
        voids: '',
        generation: '2',
        kafka_partition: '3',
        kafka_offset: '41',
        arrived_at: String(ARRIVAL_MS),
      },
    ]);
  });

  test('puts events of two months into two inserts, whatever their order', () => {
    const november = { time: '2026-11-01T00:00:00Z' };
    const block = build([record(41), record(42, november), record(43), record(44, november)]);
    const months = toTruth(orderEvents([block.events]));
    expect([...months].map(([month, { count }]) => [month, count])).toEqual([
      ['2026-10', 2],
      ['2026-11', 2],
    ]);
  });

  test('keeps a reject with its coordinates, reason and bytes', () => {
    const bad = record(41, { quantity: 'x' });
    const block = build([bad]);
    expect(columns(REJECT_COLUMNS, block.rejects.get('2026-11'))).toEqual([
      {
        generation: '2',
        kafka_partition: '3',
        kafka_offset: '41',
        arrived_at: String(ARRIVAL_MS),
        reason: 'QUANTITY_INVALID',
        field: 'quantity',
        subject: 'payments.acme',
        source: '/cell/1',
        key: 'payments.acme /cell/1 wf-41',
        payload: bad.value?.toString('base64'),
        payload_bytes: String(bad.value?.length),
      },
    ]);
    expect(block.reasons).toEqual({ QUANTITY_INVALID: 1 });
  });

  test('keeps the head and the full length of a line beyond the limit', () => {
    const block = build([{ ...record(41), value: Buffer.alloc(900_000, 'x') }]);
    const [row] = columns(REJECT_COLUMNS, block.rejects.get('2026-11'));
    expect(row?.['payload']).toBe(Buffer.alloc(1024, 'x').toString('base64'));
    expect(row?.['payload_bytes']).toBe('900000');
  });

  test('keeps rejects whose arrival no calendar holds', () => {
    for (const timestamp of ['-1', '0', '99999999999999999', 'NaN']) {
      const block = build([{ key: null, value: null, timestamp, offset: '41' }]);
      expect(block.rejected).toBe(1);
      expect(columns(REJECT_COLUMNS, [...block.rejects.values()][0])[0]?.['arrived_at']).toMatch(/^\d{13}$/);
    }
  });

  test('names the block by its range and attempt', () => {
    expect(build([]).block).toBe('usage-3-40-60-a1b2c3d4');
  });

  test('same records, same bytes', () => {
    const records = [record(41), record(42, { quantity: 'x' }), record(43, { id: 'zähler' })];
    const [first, second] = [build(records), build(records)];
    expect(readEvents(first)).toEqual(readEvents(second));
    expect(first.rejects).toEqual(second.rejects);
  });

  test('every record is either an accepted row or a reject, and no field escapes its column', () => {
    const anyRecord = fc.tuple(fc.string({ unit: 'binary', maxLength: 12 }), fc.boolean(), fc.boolean());
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 20 }), (specs) => {
        const records = specs.map(([id, good, keyed], index) => {
          const made = record(41 + index, { id, ...(good ? {} : { [id]: 'x', subject: id }) });
          return keyed ? made : { ...made, key: Buffer.from(id) };
        });
        const block = build(records);
        const events = readEvents(block);
        const rejects = [...block.rejects.values()].flatMap(parseTsv);
        expect(block.messages).toBe(records.length);
        expect(block.accepted + block.rejected).toBe(records.length);
        expect(events).toHaveLength(block.accepted);
        expect(rejects).toHaveLength(block.rejected);
        for (const row of events) expect(Object.keys(row)).toEqual([...EVENT_COLUMNS]);
        for (const row of rejects) expect(row).toHaveLength(REJECT_COLUMNS.length);
      }),
    );
  });
});

describe('escapeTsv', () => {
  test('is undone by the engine’s rules for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = escapeTsv(text);
        expect(escaped).not.toMatch(/[\t\n]/);
        expect(parseTsv({ count: 1, bytes: Buffer.from(`${escaped}\n`) })[0]?.[0]).toBe(text.toWellFormed());
      }),
    );
  });
});
