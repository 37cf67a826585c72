import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UsageEvent } from '../domain/event.ts';
import { EventColumns } from './event-columns.ts';
import { orderEvents } from './event-order.ts';
import { readNative } from './testing/native.ts';
import { EVENT_COLUMNS } from '../domain/contracts/tables.ts';
import { toMarks, toTruth } from './truth-rows.ts';

const MIDNIGHT_MS = Date.UTC(2026, 10, 1);

const anyEvent = fc.record({
  subject: fc.constantFrom('a.acme', 'b.acme', 'a-1.acme', 'zz.other', 'payments.acme'),
  source: fc.constantFrom('/cell/1', '/cell/2', 'urn:x'),
  type: fc.constantFrom('query', 'update', 'active_storage', 'void'),
  id: fc.oneof(fc.stringMatching(/^[!-~]{1,20}$/), fc.constantFrom('zähler', 'x'.repeat(127), 'x'.repeat(256))),
  atMs: fc.integer({ min: -200_000, max: 200_000 }).map((ms) => MIDNIGHT_MS + ms),
  quantity: fc.constantFrom('1', '0', '9007', '9008', '99999999999999999999', '0.000000000001', '7.25'),
  voids: fc.constantFrom('', '', 'wf-1'),
});

function collect(blocks: readonly (readonly UsageEvent[])[]): EventColumns[] {
  return blocks.map((events, partition) => {
    const columns = new EventColumns({ generation: 2, partition }, events.length);
    for (const [offset, event] of events.entries()) columns.addEvent(event, 2 ** 40 + offset, event.atMs + 5);
    return columns;
  });
}

function expected(event: UsageEvent, partition: number, offset: number): Record<string, string> {
  const [whole = '', fraction = ''] = event.quantity.split('.');
  return {
    namespace: event.subject,
    type: event.type,
    time: String(event.atMs),
    source: event.source,
    id: event.id,
    quantity: `${whole}.${fraction.padEnd(12, '0')}`,
    voids: event.voids,
    generation: '2',
    kafka_partition: String(partition),
    kafka_offset: String(2 ** 40 + offset),
    arrived_at: String(event.atMs + 5),
  };
}

const blocks = fc.array(fc.array(anyEvent, { maxLength: 12 }), { maxLength: 4 });

describe('rows of the truth', () => {
  test('hold every event of every block once, in every column, in its month', () => {
    fc.assert(
      fc.property(blocks, (all) => {
        const months = toTruth(orderEvents(collect(all)));
        const rows = [...months].flatMap(([month, rows]) => readNative(rows).map((row) => [month, row] as const));
        const wanted = all.flatMap((events, partition) =>
          events.map((event, offset) => expected(event, partition, offset)),
        );
        const byPlace = (a: Record<string, string>, b: Record<string, string>) =>
          Number(a['kafka_partition']) - Number(b['kafka_partition']) ||
          Number(a['kafka_offset']) - Number(b['kafka_offset']);
        expect(rows.map(([, row]) => row).sort(byPlace)).toEqual(wanted);
        for (const [month, row] of rows) {
          expect(Object.keys(row)).toEqual([...EVENT_COLUMNS]);
          expect(new Date(Number(row['time'])).toISOString().slice(0, 7)).toBe(month);
        }
      }),
    );
  });

  test('stand in the order of the truth: minute, namespace, type', () => {
    fc.assert(
      fc.property(blocks, (all) => {
        for (const rows of toTruth(orderEvents(collect(all))).values()) {
          const keys = readNative(rows).map(
            ({ time, namespace = '', type = '' }) => `${Math.floor(Number(time) / 60_000)} ${namespace}\u0001${type}`,
          );
          expect(keys).toEqual([...keys].sort());
        }
      }),
    );
  });

  test('more namespaces than fit two bytes keep their names', () => {
    const event = { source: '/cell/1', type: 'query', id: 'x', atMs: MIDNIGHT_MS, quantity: '1', voids: '' };
    const events = Array.from({ length: 70_000 }, (_, n) => ({ ...event, subject: `n${n}.acme` }));
    const [rows] = [...toTruth(orderEvents(collect([events]))).values()];
    const names = readNative(rows ?? { count: 0, parts: [] }).map(({ namespace }) => namespace);
    const wanted = new Set(events.map(({ subject }) => subject));
    expect(names.filter((name) => wanted.delete(name ?? ''))).toHaveLength(events.length);
  });
});

describe('marks', () => {
  test('name each touched namespace and minute once, under one block', () => {
    fc.assert(
      fc.property(blocks, (all) => {
        const marks = readNative(toMarks(orderEvents(collect(all)), 'block-1'));
        const touched = all.flat().map(({ subject, atMs }) => `${subject} ${Math.floor(atMs / 60_000) * 60}`);
        expect(marks.map(({ namespace, minute }) => `${namespace} ${minute}`).sort()).toEqual(
          [...new Set(touched)].sort(),
        );
        expect(marks.every(({ block }) => block === 'block-1')).toBe(true);
      }),
    );
  });
});
