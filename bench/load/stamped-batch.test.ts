import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { validate } from '../../ingest/validate.ts';
import { LoggedRecords } from '../../platform/kafka-record.ts';
import { decodeRecordBatch } from '../../platform/kafka-records.ts';
import { generateEvents, type Message } from '../events.ts';
import { crc32c } from './crc32c.ts';
import { probeName, StampedBatch, type Stamp } from './stamped-batch.ts';

const START_MS = Date.UTC(2026, 9, 3, 9, 30);

function compose(): StampedBatch {
  const messages: Message[] = [];
  const shape = { messages: 500, namespaces: 50, minutes: 1, startMs: START_MS, leadMs: 30_000 };
  for (const message of generateEvents(shape)) messages.push(message);
  return new StampedBatch(messages, START_MS, true);
}

async function read(batch: StampedBatch, stamp: Stamp) {
  batch.stamp(stamp);
  const { records } = await decodeRecordBatch({ buffer: Buffer.from(batch.bytes), offset: 0 });
  return Array.from(new LoggedRecords(records), ({ key, value, timestampMs }) => validate(key, value, timestampMs));
}

test('every stamped record is accepted, and no send repeats an identity of another', async () => {
  const batch = compose();
  const identities = new Set<string>();
  let accepted = 0;
  for (const send of [0, 1, 0xffff_ffff]) {
    const startMs = START_MS + send * 7;
    const own = new Set<string>();
    for (const verdict of await read(batch, { send, startMs, arrivedMs: startMs + 60_000, probe: send % 1_000 })) {
      expect(verdict).toMatchObject({ accepted: true });
      if (!verdict.accepted) continue;
      const { subject, source, id, atMs } = verdict.event;
      expect(atMs).toBeGreaterThanOrEqual(startMs - 30_000);
      expect(atMs).toBeLessThanOrEqual(startMs + 60_000);
      own.add(`${subject} ${source} ${id}`);
      accepted += 1;
    }
    expect(own).toContain(`${probeName(send % 1_000)} /bench ${send.toString(16).padStart(8, '0')}`);
    for (const identity of own) expect(identities.has(identity)).toBe(false);
    for (const identity of own) identities.add(identity);
  }
  expect(accepted).toBe(3 * batch.count);
});

test('the checksum is the one kafkajs computes', () => {
  const theirs = createRequire(import.meta.url)('kafkajs/src/protocol/recordBatch/crc32C/index.js') as (
    bytes: Buffer,
  ) => number;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(crc32c(bytes, 0, bytes.length)).toBe(theirs(Buffer.from(bytes)) >>> 0);
    }),
  );
});
