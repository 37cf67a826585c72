// Reads the log once more, from its start up to a barrier, through the sink's own acceptance, and hands over the rows the
// sink would write. It reads as a group of its own that commits nothing, so the sink never notices.
// When it dies: nothing is left but a group without commits, which the broker forgets.

import { randomBytes } from 'node:crypto';
import { TrueupError } from '../domain/contracts/errors.ts';
import { nextPeriod, periodOf } from '../domain/period.ts';
import type { FetchedBatch, Kafka } from '../platform/kafka.ts';
import { buildBlock } from './block.ts';
import type { CaseKeys } from './case.ts';
import { orderEvents } from './event-order.ts';
import type { NativeRows } from './native.ts';
import { EVENT_COLUMNS } from '../domain/contracts/tables.ts';
import { toTruth } from './truth-rows.ts';

/** Rows of the truth in the engine's columnar format. */
export type LogRows = NativeRows & { readonly columns: readonly string[] };

export type Reread = {
  readonly kafka: Kafka;
  readonly topic: string;
  /** End offset per partition. */
  readonly upTo: readonly bigint[];
  /** Events of the months this touches are handed over, epoch ms, half-open. */
  readonly window: { readonly startAtMs: number; readonly endAtMs: number };
  readonly insert: (rows: LogRows) => Promise<void>;
  /** Those the sinks run with. */
  readonly cases?: CaseKeys;
};

export type RereadCounts = { readonly messages: bigint; readonly rejected: bigint };

/** A log that stays silent this long before its barrier is broken, not slow. */
const SILENCE_MAX_MS = 60_000;

/** Throws `rejected` KAFKA_REJECTED when the log no longer begins at its first message. */
export async function rereadLog(reread: Reread): Promise<RereadCounts> {
  const { kafka, topic, upTo } = reread;
  const months = monthsOf(reread.window);
  const positions = upTo.map(() => 0n);
  const isDone = () => positions.every((position, partition) => position >= (upTo[partition] ?? 0n));
  let rejected = 0;
  let lastReadAtMs = performance.now();
  const done = Promise.withResolvers<undefined>();

  const take = async (batch: FetchedBatch, keepAlive: () => Promise<void>) => {
    const end = upTo[batch.partition] ?? 0n;
    const position = positions[batch.partition] ?? 0n;
    if (batch.firstOffset > position && position < end) throw truncated(topic, batch);
    const records = [...batch.records].filter(({ offset }) => BigInt(offset) >= position && BigInt(offset) < end);
    if (records.length > 0) {
      const range = { topic, generation: 0, partition: batch.partition, firstOffset: position, endOffset: end };
      const block = buildBlock(range, records, 'reread', reread.cases);
      rejected += block.rejected;
      for (const [month, rows] of toTruth(orderEvents([block.events]))) {
        if (months.has(month)) await reread.insert({ ...rows, columns: EVENT_COLUMNS });
      }
      await keepAlive();
    }
    positions[batch.partition] = batch.endOffset > position ? batch.endOffset : position;
    lastReadAtMs = performance.now();
    if (isDone()) done.resolve(undefined);
    return true;
  };

  if (isDone()) return { messages: 0n, rejected: 0n };
  const groupId = `trueup-reread-${topic}-${randomBytes(4).toString('hex')}`;
  const onBatch = async (batch: FetchedBatch, keepAlive: () => Promise<void>) => {
    try {
      return await take(batch, keepAlive);
    } catch (error) {
      // kafkajs would deliver the batch again for ever.
      done.reject(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  };
  const consumer = kafka.createConsumer({ topic, groupId, onBatch, fetchWaitMs: 100 });
  const watch = setInterval(() => {
    if (performance.now() - lastReadAtMs > SILENCE_MAX_MS) done.reject(silent(topic, positions, upTo));
  }, 1_000);
  try {
    await consumer.start();
    await Promise.race([done.promise, consumer.failed]);
  } finally {
    clearInterval(watch);
    consumer.pause();
    await consumer.stop();
  }
  return { messages: upTo.reduce((sum, end) => sum + end, 0n), rejected: BigInt(rejected) };
}

function monthsOf({ startAtMs, endAtMs }: Reread['window']): Set<string> {
  const months = new Set<string>();
  for (let month = periodOf(startAtMs); month.startAtMs < endAtMs; month = nextPeriod(month)) months.add(month.key);
  return months;
}

function truncated(topic: string, batch: FetchedBatch): TrueupError {
  return new TrueupError({
    kind: 'rejected',
    code: 'KAFKA_REJECTED',
    message: `partition ${batch.partition} of ${topic} begins at offset ${batch.firstOffset}; its start has been removed`,
    next: 'explain from the truth or the archive instead, and set retention.ms=-1 on the topic',
  });
}

function silent(topic: string, positions: readonly bigint[], upTo: readonly bigint[]): TrueupError {
  return new TrueupError({
    kind: 'unavailable',
    code: 'KAFKA_UNAVAILABLE',
    message: `nothing came from ${topic} for a minute; read ${positions.join(',')} of ${upTo.join(',')}`,
    next: 'check the brokers and run it again',
  });
}
