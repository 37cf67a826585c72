// The yardstick for a consumer: kafkajs, large fetches, value bytes joined and inserted as they are, several inserts in
// flight, offsets committed after the ack. No checks, no rejects, no rollups, and a duplicate counts twice.
// Prints `reading` when it has joined and `done` when the expected number of messages is stored and committed.

import kafkajs from 'kafkajs';
import { createClickHouse } from '../platform/clickhouse.ts';
import { stopIdleTimer } from '../platform/kafka-idle-timer.ts';
import { insertLines } from './plain-table.ts';

const MIB = 1024 * 1024;
const BATCH_BYTES = 8 * MIB;
const IN_FLIGHT = 2;
const HELD_BYTES_MAX = 48 * MIB;
const FLUSH_AFTER_MS = 250;

const [brokers = '', url = '', database = '', topic = '', groupId = '', expectedText = ''] = process.argv.slice(2);
const expected = Number(expectedText);
stopIdleTimer();
const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.ERROR });
const clickhouse = createClickHouse({ url, database });
const consumer = kafka.consumer({
  groupId,
  maxBytesPerPartition: 4 * MIB,
  maxBytes: 16 * MIB,
  minBytes: 256 * 1024,
  maxWaitTimeInMs: 250,
});

let values: Buffer[] = [];
let pendingBytes = 0;
let pendingSince = 0;
let ends = new Map<number, string>();
let heldBytes = 0;
let running = 0;
let stored = 0;
let commits = Promise.resolve();
let wake: () => void = () => undefined;

function startInserts(): void {
  const due = pendingBytes >= BATCH_BYTES || performance.now() - pendingSince >= FLUSH_AFTER_MS;
  if (running >= IN_FLIGHT || pendingBytes === 0 || !due) return;
  const batch = { values, bytes: pendingBytes, ends };
  values = [];
  ends = new Map();
  pendingBytes = 0;
  running += 1;
  const inserted = insertLines(clickhouse, joinLines(batch.values, batch.bytes));
  // Commits in the order of the batches, each after its own insert and all before it.
  commits = commits.then(async () => {
    await inserted;
    const offsets = [...batch.ends].map(([partition, offset]) => ({ topic, partition, offset }));
    await consumer.commitOffsets(offsets);
    stored += batch.values.length;
    if (stored >= expected) console.log('done');
  });
  void inserted.then(() => {
    running -= 1;
    heldBytes -= batch.bytes;
    startInserts();
    wake();
  });
}

function isFull(): boolean {
  return heldBytes >= HELD_BYTES_MAX;
}

function joinLines(lines: readonly Buffer[], bytes: number): Buffer {
  const joined = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const line of lines) {
    joined.set(line, at);
    at += line.length + 1;
    joined[at - 1] = 0x0a;
  }
  return joined;
}

await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachBatchAutoResolve: true,
  eachBatch: async ({ batch }) => {
    while (isFull()) await new Promise<void>((resolve) => (wake = resolve));
    if (pendingBytes === 0) pendingSince = performance.now();
    for (const { value } of batch.messages) {
      if (value === null) continue;
      values.push(value);
      pendingBytes += value.length + 1;
      heldBytes += value.length + 1;
    }
    ends.set(batch.partition, String(BigInt(batch.lastOffset()) + 1n));
    startInserts();
  },
});
console.log('reading');
setInterval(startInserts, FLUSH_AFTER_MS / 5);
