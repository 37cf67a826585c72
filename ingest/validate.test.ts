import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { REJECT_REASONS, type RejectReason } from '../domain/contracts/reject-reasons.ts';
import { EVENT_LIMITS } from '../domain/contracts/topics.ts';
import { identityKey } from '../domain/event.ts';
import { EVENT_TYPES } from '../domain/meter.ts';
import { validate } from './validate.ts';

const ARRIVAL_MS = Date.UTC(2026, 9, 3, 12, 0, 0, 500);
const DAY_MS = 86_400_000;

type Attributes = Record<string, unknown>;

const GOOD: Attributes = {
  specversion: '1.0',
  id: 'wf-1',
  source: '/dataplane/aws-us-east-1',
  type: 'workflow_start',
  subject: 'payments.acme',
  time: '2026-10-03T12:00:00.000Z',
  quantity: '12',
};

function keyOf({ subject, source, id }: Attributes): Buffer {
  return Buffer.from(identityKey({ subject: String(subject), source: String(source), id: String(id) }));
}

function check(change: Attributes, arrivalMs = ARRIVAL_MS) {
  const attributes = { ...GOOD, ...change };
  return validate(keyOf(attributes), Buffer.from(JSON.stringify(attributes)), arrivalMs);
}

function reasonOf(verdict: ReturnType<typeof validate>): string {
  return verdict.accepted ? 'accepted' : verdict.reason;
}

const bytes = (value: string | number[]) => Buffer.from(value as string);
const raw = (value: Buffer | null) => reasonOf(validate(keyOf(GOOD), value, ARRIVAL_MS));

describe('an event that counts', () => {
  test('comes out with its attributes, time in epoch milliseconds and quantity as written', () => {
    expect(check({})).toEqual({
      accepted: true,
      event: {
        id: 'wf-1',
        source: '/dataplane/aws-us-east-1',
        subject: 'payments.acme',
        type: 'workflow_start',
        atMs: Date.UTC(2026, 9, 3, 12),
        quantity: '12',
        voids: '',
      },
    });
  });

  test.each<[string, Attributes]>([
    ['every attribute null that may be absent', { quantity: null, voids: null, region: null }],
    ['scalar extension attributes', { region: 'eu', attempt: 1, sampled: false, dataref: 'a\u0007b' }],
    ['an id with spaces', { id: 'flush 7 of cell' }],
    ['an id in any script', { id: 'zähler-計-🜚' }],
    ['an id of 256 bytes', { id: 'x'.repeat(256) }],
    ['an id of 256 bytes in 128 characters', { id: 'ä'.repeat(128) }],
    ['an id with backslash and quote', { id: '\\"\\N' }],
    ['a source of 256 bytes', { source: `/${'x'.repeat(255)}` }],
    ['a source that is a full URI', { source: 'https://cell.example:443/a%20b?c=d#e' }],
    ['the longest subject', { subject: `${'n'.repeat(63)}.${'a'.repeat(63)}` }],
    ['the shortest subject', { subject: 'n.a' }],
    ['the largest quantity', { quantity: '9'.repeat(20) }],
    ['a whole quantity written with zeros', { quantity: '12.000000000000' }],
    ['a quantity of nothing', { quantity: '0' }],
    ['a time with an offset', { time: '2026-10-03T17:45:00.000+05:45' }],
    ['a void', { type: 'void', voids: 'wf-0', quantity: undefined }],
  ])('may have %s', (_, change) => {
    expect(reasonOf(check(change))).toBe('accepted');
  });

  test('counts one when it names no quantity', () => {
    const verdict = check({ quantity: undefined });
    expect(verdict.accepted && verdict.event.quantity).toBe('1');
  });

  test('is read by its last value where a member is repeated', () => {
    const line = JSON.stringify(GOOD).replace('{', '{"quantity":"1.5","type":["x"],');
    expect(raw(bytes(line))).toBe('accepted');
  });

  test('may be spread over lines and carry its members in any order', () => {
    expect(raw(bytes(JSON.stringify(Object.fromEntries(Object.entries(GOOD).toReversed()), null, 2)))).toBe('accepted');
  });

  test.each(Object.keys(EVENT_TYPES))('may be of type %s', (type) => {
    expect(reasonOf(check({ type }))).toBe('accepted');
  });
});

describe('boundaries', () => {
  const at = (atMs: number) => reasonOf(check({ time: new Date(atMs).toISOString() }));

  test('exactly 35 days before arrival is accepted, a millisecond more is not', () => {
    expect(at(ARRIVAL_MS - 35 * DAY_MS)).toBe('accepted');
    expect(at(ARRIVAL_MS - 35 * DAY_MS - 1)).toBe('TIME_TOO_OLD');
  });

  test('exactly 5 minutes ahead of arrival is accepted, a millisecond more is not', () => {
    expect(at(ARRIVAL_MS + 300_000)).toBe('accepted');
    expect(at(ARRIVAL_MS + 300_001)).toBe('TIME_IN_FUTURE');
  });

  test('a line of 65,536 bytes is accepted, one byte more is not', () => {
    const padded = (size: number) => {
      const bare = JSON.stringify({ ...GOOD, padding: '' }).length;
      return bytes(JSON.stringify({ ...GOOD, padding: 'x'.repeat(size - bare) }));
    };
    expect(raw(padded(65_536))).toBe('accepted');
    expect(raw(padded(65_537))).toBe('LINE_TOO_LARGE');
  });

  test('a record without a usable timestamp does not count', () => {
    expect(reasonOf(check({}, Number.NaN))).toBe('TIME_IN_FUTURE');
    expect(reasonOf(check({}, -1))).toBe('TIME_IN_FUTURE');
  });
});

describe('reject reasons', () => {
  const line = JSON.stringify(GOOD);
  const broken = (...inside: number[]) => Buffer.concat([bytes('{"id":"'), bytes(inside), bytes('"}')]);

  const RAW: [RejectReason, Buffer | null][] = [
    ['EMPTY', null],
    ['EMPTY', Buffer.alloc(0)],
    ['LINE_TOO_LARGE', Buffer.alloc(900_000, 0xff)],
    ['ENCODING_INVALID', broken(0xff)],
    ['ENCODING_INVALID', broken(0xc3)],
    ['ENCODING_INVALID', broken(0xc0, 0xaf)],
    ['ENCODING_INVALID', broken(0xed, 0xa0, 0x80)],
    ['ENCODING_INVALID', broken(0xf4, 0x90, 0x80, 0x80)],
    ['NOT_JSON', bytes(' ')],
    ['NOT_JSON', bytes('heartbeat')],
    ['NOT_JSON', bytes(line.slice(0, 60))],
    ['NOT_JSON', bytes(`${line}${line}`)],
    ['NOT_JSON', bytes(`\uFEFF${line}`)],
    ['NOT_JSON', bytes(line.replace('"12"', 'NaN'))],
    ['NOT_AN_OBJECT', bytes('null')],
    ['NOT_AN_OBJECT', bytes('42')],
    ['NOT_AN_OBJECT', bytes('"event"')],
    ['NOT_AN_OBJECT', bytes(`[${line}]`)],
  ];
  test.each(RAW)('%s: %#', (reason, value) => {
    expect(raw(value)).toBe(reason);
  });

  const CHANGED: [RejectReason, string, Attributes][] = [
    ['SPECVERSION_UNSUPPORTED', 'specversion', { specversion: undefined }],
    ['SPECVERSION_UNSUPPORTED', 'specversion', { specversion: null }],
    ['SPECVERSION_UNSUPPORTED', 'specversion', { specversion: 1 }],
    ['SPECVERSION_UNSUPPORTED', 'specversion', { specversion: '0.3' }],
    ...['id', 'source', 'type', 'subject', 'time'].flatMap((name): [RejectReason, string, Attributes][] => [
      ['ATTRIBUTE_MISSING', name, { [name]: undefined }],
      ['ATTRIBUTE_MISSING', name, { [name]: null }],
      ['ATTRIBUTE_INVALID', name, { [name]: '' }],
      ['ATTRIBUTE_INVALID', name, { [name]: 4711 }],
      ['ATTRIBUTE_INVALID', name, { [name]: true }],
      ['ATTRIBUTE_INVALID', name, { [name]: ['x'] }],
      ['ATTRIBUTE_INVALID', name, { [name]: { x: 1 } }],
    ]),
    ['ATTRIBUTE_INVALID', 'id', { id: 'x'.repeat(257) }],
    ['ATTRIBUTE_INVALID', 'id', { id: 'ä'.repeat(129) }],
    ['ATTRIBUTE_INVALID', 'id', { id: 'bell\u0007' }],
    ['ATTRIBUTE_INVALID', 'id', { id: 'tab\tin' }],
    ['ATTRIBUTE_INVALID', 'id', { id: 'delete\u007f' }],
    ['ATTRIBUTE_INVALID', 'id', { id: 'c1-\u0085' }],
    ['ATTRIBUTE_INVALID', 'id', { id: 'half-\ud83d' }],
    ['ATTRIBUTE_INVALID', 'source', { source: '/dataplane/aws us' }],
    ['ATTRIBUTE_INVALID', 'source', { source: '/dataplane/\u0000' }],
    ['ATTRIBUTE_INVALID', 'source', { source: '/zähler' }],
    ['ATTRIBUTE_INVALID', 'source', { source: `/${'x'.repeat(256)}` }],
    ['ATTRIBUTE_INVALID', 'labels', { labels: { region: 'eu' } }],
    ['ATTRIBUTE_INVALID', 'tags', { tags: [] }],
    ['ATTRIBUTE_INVALID', 'quantity', { quantity: { value: '1' } }],
    ['SUBJECT_INVALID', 'subject', { subject: 'payments' }],
    ['SUBJECT_INVALID', 'subject', { subject: 'a.b.c' }],
    ['SUBJECT_INVALID', 'subject', { subject: '.acme' }],
    ['SUBJECT_INVALID', 'subject', { subject: 'payments.' }],
    ['SUBJECT_INVALID', 'subject', { subject: 'Payments.acme' }],
    ['SUBJECT_INVALID', 'subject', { subject: '-payments.acme' }],
    ['SUBJECT_INVALID', 'subject', { subject: 'payments-.acme' }],
    ['SUBJECT_INVALID', 'subject', { subject: 'pay_ments.acme' }],
    ['SUBJECT_INVALID', 'subject', { subject: 'payments.acme\n' }],
    ['SUBJECT_INVALID', 'subject', { subject: `${'n'.repeat(64)}.acme` }],
    ['TYPE_UNKNOWN', 'type', { type: 'workflow_started' }],
    ['TYPE_UNKNOWN', 'type', { type: 'constructor' }],
    ['TYPE_UNKNOWN', 'type', { type: '__proto__' }],
    ['TIME_INVALID', 'time', { time: 'yesterday' }],
    ['TIME_INVALID', 'time', { time: '2026-10-03T12:34:56' }],
    ['TIME_INVALID', 'time', { time: '2026-10-03T12:34:56.1234Z' }],
    ['QUANTITY_INVALID', 'quantity', { quantity: 12 }],
    ['QUANTITY_INVALID', 'quantity', { quantity: '' }],
    ['QUANTITY_INVALID', 'quantity', { quantity: '-1' }],
    ['QUANTITY_INVALID', 'quantity', { quantity: '+1' }],
    ['QUANTITY_INVALID', 'quantity', { quantity: '1e3' }],
    ['QUANTITY_INVALID', 'quantity', { quantity: '.5' }],
    ['QUANTITY_INVALID', 'quantity', { quantity: '5.' }],
    ['QUANTITY_INVALID', 'quantity', { quantity: '1\n' }],
    ['QUANTITY_INVALID', 'quantity', { quantity: '9'.repeat(21) }],
    ['QUANTITY_INVALID', 'quantity', { quantity: `0.${'1'.repeat(13)}` }],
    ['QUANTITY_NOT_WHOLE', 'quantity', { quantity: '1.5' }],
    ['QUANTITY_NOT_WHOLE', 'quantity', { quantity: '12.000000000001' }],
    ['VOID_INVALID', 'voids', { type: 'void' }],
    ['VOID_INVALID', 'voids', { type: 'void', voids: '' }],
    ['VOID_INVALID', 'voids', { type: 'void', voids: 7 }],
    ['VOID_INVALID', 'voids', { type: 'void', voids: 'wf-1' }],
    ['VOID_INVALID', 'voids', { type: 'void', voids: 'bell\u0007' }],
    ['VOID_INVALID', 'voids', { voids: 'wf-0' }],
    ['VOID_INVALID', 'voids', { voids: 0 }],
    ['TIME_TOO_OLD', 'time', { time: '2025-10-03T12:00:00Z' }],
    ['TIME_IN_FUTURE', 'time', { time: '2027-10-03T12:00:00Z' }],
  ];
  test.each(CHANGED)('%s names %s: %j', (reason, field, change) => {
    expect(check(change)).toMatchObject({ accepted: false, reason, field });
  });

  test.each<[string, Buffer | null]>([
    ['no key', null],
    ['an empty key', Buffer.alloc(0)],
    ['the id alone', bytes('wf-1')],
    ['the parts in another order', bytes('/dataplane/aws-us-east-1 payments.acme wf-1')],
    ['other separators', bytes('payments.acme\t/dataplane/aws-us-east-1\twf-1')],
    ['another id', bytes('payments.acme /dataplane/aws-us-east-1 wf-2')],
    ['more behind it', bytes('payments.acme /dataplane/aws-us-east-1 wf-1 ')],
  ])('KEY_MISMATCH: %s', (_, key) => {
    expect(reasonOf(validate(key, bytes(line), ARRIVAL_MS))).toBe('KEY_MISMATCH');
  });

  test('KEY_MISMATCH: keys are compared as bytes, not as some reading of them', () => {
    const event = bytes(JSON.stringify({ ...GOOD, id: 'é' }));
    const prefix = 'payments.acme /dataplane/aws-us-east-1 ';
    expect(reasonOf(validate(Buffer.from(`${prefix}é`, 'latin1'), event, ARRIVAL_MS))).toBe('KEY_MISMATCH');
    expect(reasonOf(validate(bytes(`${prefix}é`), event, ARRIVAL_MS))).toBe('accepted');
  });

  test('the first reason in the list wins when several hold', () => {
    const worse: Attributes = { quantity: '1.5', time: '2020-01-01T00:00:00Z', voids: 'wf-0' };
    expect(reasonOf(validate(null, bytes(JSON.stringify({ ...GOOD, ...worse })), ARRIVAL_MS))).toBe(
      'QUANTITY_NOT_WHOLE',
    );
    expect(reasonOf(check({ ...worse, quantity: '1' }))).toBe('VOID_INVALID');
    expect(reasonOf(check({ ...worse, type: 'nope', subject: 'nope' }))).toBe('SUBJECT_INVALID');
    expect(reasonOf(check({ ...worse, id: undefined, specversion: '2' }))).toBe('SPECVERSION_UNSUPPORTED');
  });

  test('a rejected event says where it came from, as far as that can be read', () => {
    expect(check({ quantity: 'x' })).toMatchObject({ subject: 'payments.acme', source: '/dataplane/aws-us-east-1' });
    expect(check({ subject: 12, source: '\ud800' })).toMatchObject({ subject: '', source: '\ufffd' });
  });

  test('every reason of the list has a test here', () => {
    const tested = new Set<string>([
      ...RAW.map(([reason]) => reason),
      ...CHANGED.map(([reason]) => reason),
      'KEY_MISMATCH',
    ]);
    expect([...tested].sort()).toEqual([...REJECT_REASONS].sort());
  });
});

describe('laws', () => {
  const anyKey = fc.option(fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array)));
  const anyArrival = fc.oneof(fc.integer(), fc.double(), fc.constant(ARRIVAL_MS));

  test('any bytes get a verdict and nothing throws', () => {
    const anyValue = fc.option(fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)));
    fc.assert(
      fc.property(fc.tuple(anyKey, anyValue, anyArrival), ([key, value, arrivalMs]) => {
        const verdict = validate(key, value, arrivalMs);
        return verdict.accepted || REJECT_REASONS.includes(verdict.reason);
      }),
    );
  });

  test('any JSON gets a verdict and nothing throws', () => {
    fc.assert(
      fc.property(fc.tuple(anyKey, fc.json(), anyArrival), ([key, json, arrivalMs]) => {
        const verdict = validate(key, Buffer.from(json), arrivalMs);
        return verdict.accepted || REJECT_REASONS.includes(verdict.reason);
      }),
    );
  });

  test('whatever is accepted keeps every promise of the contract', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    const mostly = (good: fc.Arbitrary<unknown>, odd: fc.Arbitrary<unknown>) =>
      fc.oneof({ arbitrary: good, weight: 6 }, { arbitrary: odd, weight: 1 });
    const shiftMs = fc.integer({ min: -36 * DAY_MS, max: 360_000 });
    const anyEvent = fc.record(
      {
        specversion: mostly(fc.constant('1.0'), fc.constant(1)),
        id: fc.oneof(text, fc.uuid(), fc.string({ maxLength: 300 })),
        source: mostly(fc.webPath(), text),
        type: mostly(fc.constantFrom(...Object.keys(EVENT_TYPES), 'void'), text),
        subject: mostly(fc.constantFrom('payments.acme', 'a.b'), fc.oneof(text, fc.constant('A.b'))),
        time: mostly(
          shiftMs.map((shift) => new Date(ARRIVAL_MS + shift).toISOString()),
          text,
        ),
        quantity: mostly(fc.nat().map(String), fc.oneof(fc.double().map(String), text, fc.nat())),
        voids: mostly(fc.constant(''), text),
        region: fc.jsonValue({ maxDepth: 1 }),
      },
      { requiredKeys: ['specversion', 'id', 'source', 'type', 'subject', 'time'] },
    );
    let accepted = 0;
    fc.assert(
      fc.property(anyEvent, (attributes) => {
        const verdict = validate(keyOf(attributes), Buffer.from(JSON.stringify(attributes)), ARRIVAL_MS);
        if (!verdict.accepted) return;
        accepted += 1;
        const { event } = verdict;
        expect(Buffer.byteLength(event.id)).toBeGreaterThan(0);
        expect(Buffer.byteLength(event.id)).toBeLessThanOrEqual(EVENT_LIMITS.idBytesMax);
        // oxlint-disable-next-line no-control-regex -- ids must be free of them
        expect(event.id).not.toMatch(/[\u0000-\u001f\u007f]/);
        expect(event.id.isWellFormed()).toBe(true);
        expect(event.source).toMatch(/^\S{1,256}$/);
        expect(event.subject).toMatch(/^[a-z0-9-]{1,63}\.[a-z0-9-]{1,63}$/);
        expect(event.type === 'void').toBe(event.voids !== '');
        expect(event.quantity).toMatch(/^\d{1,20}(\.0{1,12})?$/);
        expect(event.atMs).toBeGreaterThanOrEqual(ARRIVAL_MS - EVENT_LIMITS.ageMaxMs);
        expect(event.atMs).toBeLessThanOrEqual(ARRIVAL_MS + EVENT_LIMITS.aheadMaxMs);
        expect(keyOf(event)).toEqual(keyOf(attributes));
      }),
      { numRuns: 3_000 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});
