import fc from 'fast-check';
import { expect, test } from 'vitest';
import { identityKey } from '../domain/event.ts';
import type { LogRecord } from '../platform/kafka.ts';
import { buildBlock } from './block.ts';
import { orderEvents } from './event-order.ts';
import { PlainLine } from './plain-line.ts';
import { toLogged } from './testing/logged.ts';
import { readNative } from './testing/native.ts';
import { toTruth } from './truth-rows.ts';

const ARRIVAL_MS = Date.UTC(2026, 9, 3, 12, 0, 0);
const RANGE = { topic: 'usage', partition: 3, generation: 2, firstOffset: 40n, endOffset: 90n };

/** Mostly good values with some that are not, so that whole lines are often good and bad in any one place. */
const mostly = (good: readonly string[], bad: readonly string[]) =>
  fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: fc.constantFrom(...bad) });

const attributes = fc.record({
  specversion: mostly(['1.0'], ['1.1', '1.0 ']),
  id: fc.oneof(
    { weight: 8, arbitrary: fc.stringMatching(/^[!-~ ]{1,30}$/) },
    { weight: 1, arbitrary: fc.constantFrom('', 'zähler', 'a"b', 'a\\b', 'x'.repeat(256), 'x'.repeat(257)) },
  ),
  source: mostly(['/cell/1', 'urn:a?b=%20'], ['', 'a b', 'ä', 'x'.repeat(257)]),
  type: mostly(['query', 'update', 'child_workflow', 'active_storage'], ['void', 'querys', 'quer', '']),
  subject: mostly(['payments.acme', 'a.b'], ['acme', 'A.b', '-a.b', 'a.b.c', '']),
  time: fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .integer({ min: -40 * 86_400_000, max: 600_000 })
        .map((ms) => new Date(ARRIVAL_MS + ms).toISOString()),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '2026-10-03T11:59:59Z',
        '2026-10-03T11:59:60.000Z',
        '2026-10-03T11:60:00.000Z',
        '2026-09-31T11:00:00.000Z',
        '2026-10-03T24:00:00.000Z',
        '2026-10-03T11:59:5a.000Z',
        '2026-10-03T11:59:59.0:0Z',
        '2026-10-03T11:59:59.00/Z',
        '2026-10-03T13:00:00.000+02:00',
        '2026-10-03t11:59:59.000z',
      ),
    },
  ),
});

const quantity = mostly(
  ['1', '0', '7', '007', '9007', '9008', '123456789012345', '1234567890123456', '99999999999999999999', '3.000'],
  ['', '1.5', '-1', '1e3', '+1'],
);

const line = fc
  .tuple(attributes, fc.option(quantity), fc.constantFrom('', '', '', '', ' ', '\n', '}', ',"extra":"1"}'))
  .map(([event, amount, tail]): LogRecord => {
    const all = { ...event, ...(amount === null ? {} : { quantity: amount }) };
    return {
      key: Buffer.from(identityKey(event)),
      value: Buffer.from(JSON.stringify(all) + tail),
      timestamp: String(ARRIVAL_MS),
      offset: '41',
    };
  });

/** Any byte of key or value changed, or none. */
const record = fc
  .tuple(line, fc.option(fc.tuple(fc.boolean(), fc.nat(400), fc.nat(255)), { freq: 2 }))
  .map(([made, change]): LogRecord => {
    if (change === null) return made;
    const [inKey, place, byte] = change;
    const target = (inKey ? made.key : made.value) ?? Buffer.alloc(1);
    target[place % Math.max(target.length, 1)] = byte;
    return made;
  });

/** All that a block holds, its events row by row. */
function readBlock(records: readonly LogRecord[]) {
  const { events, ...block } = buildBlock(RANGE, records, 'x');
  return { ...block, events: [...toTruth(orderEvents([events])).values()].flatMap(readNative) };
}

test('a record is taken the same whether it is read byte by byte or parsed', () => {
  const reader = new PlainLine();
  let plain = 0;
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), (records) => {
      const logged = records.map(toLogged);
      plain += logged.filter((one) => reader.read(one)).length;
      expect(readBlock(logged)).toEqual(readBlock(records));
    }),
    { numRuns: 1_000 },
  );
  // The comparison means nothing if everything went the same way.
  expect(plain).toBeGreaterThan(250);
});

test('the line of an ordinary producer is read byte by byte', () => {
  const event = { id: 'wf 1/run-2', source: '/dataplane/aws-us-east-1', type: 'signal_send', subject: 'payments.acme' };
  const value = { specversion: '1.0', ...event, time: '2026-10-03T11:58:01.234Z', quantity: '12' };
  const reader = new PlainLine();
  const made = { key: Buffer.from(identityKey(event)), value: Buffer.from(JSON.stringify(value)) };
  expect(reader.read(toLogged({ ...made, timestamp: String(ARRIVAL_MS), offset: '7' }))).toBe(true);
  expect(reader).toMatchObject({
    namespace: { text: 'payments.acme' },
    quantity: 12,
    atMs: Date.parse(value.time),
  });
});

test('records without key or value are left to the validator', () => {
  const reader = new PlainLine();
  for (const key of [null, Buffer.alloc(0), Buffer.from('a.b')]) {
    expect(reader.read(toLogged({ key, value: null, timestamp: '1', offset: '1' }))).toBe(false);
  }
});
