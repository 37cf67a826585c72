import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LoggedRecords } from './kafka-record.ts';
import { decodeRecordBatch } from './kafka-records.ts';

// kafkajs' own encoder and decoder, loaded apart from the repaired ones.
const load = createRequire(import.meta.url);
type Encoder = { buffer: Buffer };
type Fields = { key: string | null; value: string | null; timestamp: string; offset: string };
type OwnDecode = (decoder: object) => Promise<{ records: { [Name in keyof Fields]: Buffer | string | null }[] }>;
const { RecordBatch } = load('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  RecordBatch: (batch: object) => Promise<Encoder>;
};
const encodeRecord = load('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (record: object) => Encoder;
const Long = load('kafkajs/src/utils/long.js') as { fromNumber(value: number): object };
const Decoder = load('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => { buffer: Buffer; offset: number };

function loadOwnDecode(): OwnDecode {
  const path = load.resolve('kafkajs/src/protocol/recordBatch/v0/decoder.js');
  const repaired = load.cache[path];
  delete load.cache[path];
  const own = load(path) as OwnDecode;
  if (repaired !== undefined) load.cache[path] = repaired;
  return own;
}
const decodeAsKafkaJs = loadOwnDecode();

const bytes = fc.option(fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)));
const records = fc.array(
  fc.record({ key: bytes, value: bytes, timestampDelta: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }) }),
  { maxLength: 20 },
);
const batch = fc.record({
  records,
  firstOffset: fc.integer({ min: 0, max: 2 ** 47 }),
  firstTimestamp: fc.integer({ min: -1, max: 2 ** 42 }),
  compression: fc.constantFrom(0, 1),
  headers: fc.constantFrom<Record<string, string | string[]>>({}, { trace: 'abc', tag: ['x', 'y'] }),
});
type Batch = typeof batch extends fc.Arbitrary<infer Value> ? Value : never;

async function encode({ records: specs, firstOffset, firstTimestamp, compression, headers }: Batch): Promise<Buffer> {
  const encoded = specs.map(({ key, value, timestampDelta }, offsetDelta) =>
    encodeRecord({ key, value, offsetDelta, timestampDelta: Long.fromNumber(timestampDelta), headers }),
  );
  const made = await RecordBatch({
    compression,
    firstOffset: Long.fromNumber(firstOffset),
    firstTimestamp,
    maxTimestamp: firstTimestamp,
    lastOffsetDelta: specs.length,
    records: encoded,
  });
  return made.buffer;
}

const spell = ({ key, value, timestamp, offset }: Record<keyof Fields, Buffer | string | null>) => {
  return { key: key?.toString('hex'), value: value?.toString('hex'), timestamp, offset };
};

test('records come out as kafkajs itself would give them, and reading stops behind their batch', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 3 }), async (batches) => {
      const all = Buffer.concat(await Promise.all(batches.map(encode)));
      const [ours, theirs] = [new Decoder(all), new Decoder(all)];
      for (const _ of batches) {
        const expected = (await decodeAsKafkaJs(theirs)).records.map(spell);
        expect(Array.from(new LoggedRecords((await decodeRecordBatch(ours)).records), spell)).toEqual(expected);
        expect(ours.offset).toBe(theirs.offset);
      }
      expect(ours.offset).toBe(all.length);
    }),
    { numRuns: 200 },
  );
});

test('a header of a record is found among others, whatever stands beside it', async () => {
  const headers = fc.dictionary(fc.string({ maxLength: 20 }), fc.string({ maxLength: 200 }), { maxKeys: 8 });
  await fc.assert(
    fc.asyncProperty(batch, headers, fc.string(), async (plain, others, trace) => {
      const { records: read } = await decodeRecordBatch(
        new Decoder(await encode({ ...plain, headers: { ...others, trace } })),
      );
      for (const record of new LoggedRecords(read)) {
        const all = { ...others, trace };
        const expected = record.value === null ? Object.keys(all).map(() => undefined) : Object.values(all);
        expect(Object.keys(all).map((name) => record.header(name))).toEqual(expected);
        expect(Object.entries(all).map(([name, value]) => record.header(name, value))).toEqual(expected);
        expect(Object.keys(all).map((name) => record.header(name, `${trace}-`))).toEqual(expected);
        expect(record.header('no such header')).toBeUndefined();
      }
    }),
  );
});

test('a batch cut off by the size of a fetch is left for the next one', async () => {
  const value = Buffer.alloc(100);
  const one = { records: [{ key: null, value, timestampDelta: 0 }], firstOffset: 7, firstTimestamp: 5 };
  const all = await encode({ ...one, compression: 0, headers: {} });
  const cut = new Decoder(all.subarray(0, -1));
  await expect(decodeRecordBatch(cut)).rejects.toMatchObject({ name: 'KafkaJSPartialMessageError' });
});

test('records that were let go of are not read again', async () => {
  const one = { key: Buffer.from('k'), value: Buffer.from('v'), timestampDelta: 0 };
  const bytes = await encode({ records: [one], firstOffset: 0, firstTimestamp: 0, compression: 0, headers: {} });
  const records = new LoggedRecords((await decodeRecordBatch(new Decoder(bytes))).records);
  expect([...records]).toHaveLength(1);
  records.letGo();
  expect(() => [...records]).toThrow('let go');
  records.letGo();
  expect(records.length).toBe(1);
});
