import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { format } from 'prettier';
import { describe, expect, test } from 'vitest';
import { MANIFEST_SCHEMA } from '../domain/contracts/manifest-schema.ts';
import { MANIFEST_FORM, MANIFEST_LIMITS, MANIFEST_MESSAGE } from '../domain/contracts/manifest.ts';
import { readManifestConformance } from './http/testing/conformance.ts';
import { validateManifest } from './validate-manifest.ts';

const cases = readManifestConformance();
const isValid = new Ajv2020().compile(MANIFEST_SCHEMA);

test('a manifest is read with its hour as an instant and its quantity as written', () => {
  const said = { source: '/cell/1', hour: '2026-10-03T14:00:00+02:00', events: 7, quantity: '12.50', revision: 2 };
  const { hour: _, ...rest } = said;
  expect(validateManifest(Buffer.from(JSON.stringify(said)))).toEqual({
    accepted: true,
    manifest: { ...rest, hourAtMs: Date.UTC(2026, 9, 3, 12) },
  });
});

test('a record without a value is no manifest', () => {
  expect(validateManifest(null)).toEqual({ accepted: false, code: 'EMPTY', field: '' });
});

describe('the conformance cases', () => {
  test('hold every reason, every field of each kind of fault, and every name once', () => {
    const { SOURCE_NOT_ALLOWED: _, ...reasons } = MANIFEST_MESSAGE;
    expect(new Set(cases.map((one) => one.expect))).toEqual(new Set(['accepted', ...Object.keys(reasons)]));
    for (const code of ['ATTRIBUTE_MISSING', 'ATTRIBUTE_INVALID']) {
      const fields = cases.filter((one) => one.expect === code).map(({ field }) => field);
      expect(new Set(fields)).toEqual(new Set(Object.keys(MANIFEST_FORM)));
    }
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  test.each(cases)('the validator: $name → $expect', ({ bytes, expect: expected, field = '' }) => {
    const verdict = validateManifest(bytes);
    if (expected === 'accepted') expect(verdict).toMatchObject({ accepted: true });
    else expect(verdict).toEqual({ accepted: false, code: expected, field });
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
    const odd = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('1', '0.0', null, 1, true, '', [], {}, 1.5, -1));
    const manifests = fc.record({
      source: fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom('/cell/1', 'urn:a:b', 'https://a.example/?q=1#x') },
        odd,
      ),
      hour: fc.constantFrom('2026-10-03T12:00:00Z', '2026-10-03t14:00:00.0+02:00', '2026-10-03T12:00:01Z', 5),
      events: fc.oneof({ weight: 5, arbitrary: fc.maxSafeNat() }, odd),
      quantity: fc.oneof(fc.constantFrom('12', '3.00', '0'), odd),
      revision: fc.oneof({ weight: 5, arbitrary: fc.nat({ max: MANIFEST_LIMITS.revisionMax + 5 }) }, odd),
      more: odd,
    });
    let accepted = 0;
    fc.assert(
      fc.property(manifests, (manifest) => {
        if (!validateManifest(Buffer.from(JSON.stringify(manifest))).accepted) return;
        accepted += 1;
        expect(isValid(manifest), JSON.stringify(manifest)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  test('is published as it is: docs/manifest.schema.json (update with vitest -u)', async () => {
    const text = await format(JSON.stringify(MANIFEST_SCHEMA, null, 2), { parser: 'json', printWidth: 120 });
    await expect(text).toMatchFileSnapshot(new URL('../docs/manifest.schema.json', import.meta.url).pathname);
  });
});
