import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { format } from 'prettier';
import { describe, expect, test } from 'vitest';
import { EVENT_SCHEMA } from '../../domain/contracts/event-schema.ts';
import { REJECT_REASONS } from '../../domain/contracts/reject-reasons.ts';
import { identityKey } from '../../domain/event.ts';
import { EVENT_TYPES } from '../../domain/meter.ts';
import { parseRfc3339 } from '../rfc3339.ts';
import { validate } from '../validate.ts';
import { checkEvent } from './admit.ts';
import { readConformance } from './testing/conformance.ts';

const { arrival, cases } = readConformance();
const arrivalMs = parseRfc3339(arrival) ?? Number.NaN;
const ajv = new Ajv2020({ allowUnionTypes: true, strictTypes: false });
const isValid = ajv.compile(EVENT_SCHEMA);
const docs = new URL('../../docs/', import.meta.url);

describe('the conformance cases', () => {
  test('hold every reject reason and every name once', () => {
    expect(new Set(cases.map((one) => one.expect))).toEqual(new Set(['accepted', ...REJECT_REASONS]));
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  test.each(cases)('the validator: $name → $expect', ({ bytes, key, expect: expected, field = '' }) => {
    const verdict = key === undefined ? checkEvent(bytes, arrivalMs) : validate(Buffer.from(key), bytes, arrivalMs);
    if (expected === 'accepted') expect(verdict).toMatchObject({ accepted: true });
    else
      expect(verdict).toMatchObject({
        accepted: false,
        field,
        ...('code' in verdict ? { code: expected } : { reason: expected }),
      });
  });

  test.each(cases.filter(({ schema }) => schema !== undefined))(
    'the JSON Schema: $name → $schema',
    ({ bytes, schema }) => {
      expect(isValid(JSON.parse(bytes.toString('utf8'))) ? 'valid' : 'invalid').toBe(schema);
    },
  );
});

describe('the JSON Schema', () => {
  test('never refuses what the pipeline accepts', () => {
    const odd = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('1', '0.0', null, 1, true, '', [], {}));
    const events = fc.record(
      {
        specversion: fc.oneof({ weight: 9, arbitrary: fc.constant('1.0') }, odd),
        id: fc.oneof({ weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) }, odd),
        source: fc.oneof({ weight: 5, arbitrary: fc.webUrl() }, odd),
        type: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...Object.keys(EVENT_TYPES), 'void') }, odd),
        subject: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('a.b', 'payments-1.acme') }, odd),
        time: fc.constantFrom('2026-10-03T12:00:00Z', '2026-10-03t14:00:00.1+02:00', '2026-09-31T00:00:00Z', 5),
        quantity: fc.oneof(fc.constantFrom('12', '3.00', '0'), odd),
        voids: fc.oneof(fc.constantFrom('e-1', ''), odd),
        more: odd,
      },
      { requiredKeys: ['specversion', 'id', 'source', 'type', 'subject', 'time'] },
    );
    let accepted = 0;
    fc.assert(
      fc.property(events, (event) => {
        if (!checkEvent(Buffer.from(JSON.stringify(event)), arrivalMs).accepted) return;
        accepted += 1;
        expect(isValid(event), JSON.stringify(event)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  test('is published as it is: docs/event.schema.json (update with vitest -u)', async () => {
    const text = await format(JSON.stringify(EVENT_SCHEMA, null, 2), { parser: 'json', printWidth: 120 });
    await expect(text).toMatchFileSnapshot(new URL('event.schema.json', docs).pathname);
  });
});

describe('the Kafka key', () => {
  const file = new URL('../../fixtures/conformance/partitions.json', import.meta.url);
  type Row = { subject: string; source: string; id: string; key: string; partitionOf8: number; partitionOf12: number };
  const { cases: rows } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Row[] };

  test.each(rows)('$key is the identity and goes to the partition the cases name', (row) => {
    const choose = kafkajs.Partitioners.DefaultPartitioner();
    const among = (count: number) => {
      const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
        partitionId,
        leader: 1,
        partitionErrorCode: 0,
        replicas: [],
        isr: [],
      }));
      return choose({ topic: 'any', partitionMetadata, message: { key: row.key, value: null } });
    };
    expect(identityKey(row)).toBe(row.key);
    expect([among(8), among(12)]).toEqual([row.partitionOf8, row.partitionOf12]);
  });
});
