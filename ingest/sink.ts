// The usage sink: Kafka to truth, at least once, with every write replaceable, so that whatever is delivered again (a
// crash anywhere, a rebalance, a zombie, a replay from offset 0) counts once. Offsets are committed after the block is
// durable and recorded, and reading is held back while too much is in flight. Nothing is stored of another log than the
// one the stores hold: a topic that grew while the sink ran ends it.
// When it dies: the group resumes at the last commit and the blocks behind it are written again.

import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { RejectReason } from '../domain/contracts/reject-reasons.ts';
import type { Kafka, KafkaConsumer, FetchedBatch } from '../platform/kafka.ts';
import type { Log } from '../platform/log.ts';
import { logLayoutChanged } from '../platform/log-layout.ts';
import type { Metrics } from '../platform/metrics.ts';
import { NO_TRACING, type Tracing } from '../platform/tracing.ts';
import { buildBlock, type Block } from './block.ts';
import type { CaseKeys } from './case.ts';
import { Lanes } from './lanes.ts';
import type { BlockStore, StoreTimings } from './store.ts';
import { readTraces } from './trace-links.ts';

export type SinkOptions = {
  readonly kafka: Kafka;
  readonly store: BlockStore;
  readonly topic: string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Keys of operators' cases; without them no case is honoured. */
  readonly cases?: CaseKeys;
  readonly tracing?: Tracing;
};

export type Sink = {
  start(): Promise<void>;
  /** Rejects when the sink can't go on; never resolves. */
  readonly failed: Promise<never>;
  /** Finishes and commits the blocks in hand, then leaves the group. */
  stop(): Promise<void>;
};

/** Of the topic's partition layout; a new layout is a new topic with a higher generation. */
const GENERATION = 0;
/** Two inserts in flight keep the engine busy while a third block is parsed. */
const LANES = 2;
const MIB = 1024 * 1024;
const LIMITS = { partitionBytesMax: 4 * MIB, fetchBytesMax: 32 * MIB, fetchBytesMin: 4 * MIB, fetchWaitMs: 250 };
/** Large groups make few parts, which are merged less often. */
const GROUP_BYTES_MAX = 24 * MIB;
const SMALL_BYTES = 8 * MIB;
const LINGER_MS = 250;
const HELD_BYTES_MAX = 64 * MIB;
const KEEP_ALIVE_MS = 1_000;
/** A topic that grew is noticed at the latest then, even if nothing has been sent to its new partitions yet. */
const LAYOUT_LOOK_MS = 5_000;

/** Without the batch's records: they would keep all fetched bytes in memory until the block is stored. */
type Held = {
  readonly block: Block;
  readonly isCurrent: () => boolean;
  readonly highWatermark: bigint;
  readonly parseMs: number;
  readonly heldSinceMs: number;
  /** Traceparents of its records; none while tracing is off. */
  readonly traces: readonly string[];
};

/** Every topic has a group of its own, so that sinks of two topics never rebalance each other. */
export function sinkGroupOf(topic: string): string {
  return `trueup-sink-${topic}`;
}

export function createSink(options: SinkOptions): Sink {
  return new UsageSink(options);
}

class UsageSink implements Sink {
  readonly failed: Promise<never>;
  private readonly options: SinkOptions;
  private readonly tracing: Tracing;
  private readonly consumer: KafkaConsumer;
  private readonly lanes: Lanes<Held>;
  /** Aborts once nothing more is taken. */
  private readonly ending = new AbortController();
  private readonly fail: (error: unknown) => void;
  /** Of the topic, as they were when the sink started. */
  private partitions = 0;
  private hasGrown = false;

  constructor(options: SinkOptions) {
    this.options = options;
    this.tracing = options.tracing ?? NO_TRACING;
    this.consumer = options.kafka.createConsumer({
      ...LIMITS,
      topic: options.topic,
      groupId: sinkGroupOf(options.topic),
      onBatch: async (batch, keepAlive) => this.take(batch, keepAlive),
    });
    const broken = Promise.withResolvers<never>();
    this.fail = broken.reject;
    this.failed = Promise.race([broken.promise, this.consumer.failed]);
    this.failed.catch(() => undefined);
    this.lanes = new Lanes({
      lanes: LANES,
      groupBytesMax: GROUP_BYTES_MAX,
      smallBytes: SMALL_BYTES,
      lingerMs: LINGER_MS,
      heldBytesMax: HELD_BYTES_MAX,
      keyOf: ({ block }) => block.partition,
      bytesOf: ({ block }) => block.valueBytes,
      write: async (group) => this.write(group),
      onFailure: (error) => this.endWith(error),
    });
  }

  async start(): Promise<void> {
    const { kafka, store, topic } = this.options;
    this.partitions = await kafka.fetchPartitionCount(topic);
    await store.rememberLayout({ topic, partitions: this.partitions });
    await this.consumer.start();
    void this.watchLayout();
  }

  async stop(): Promise<void> {
    this.ending.abort();
    this.consumer.pause();
    while (!this.lanes.isIdle) await this.lanes.changed();
    await this.consumer.stop();
  }

  private endWith(error: unknown): void {
    this.ending.abort();
    this.consumer.pause();
    this.fail(error);
  }

  /** kafkajs itself would join the group again within minutes, and read on from all of them. */
  private async watchLayout(): Promise<void> {
    const { kafka, topic } = this.options;
    const { signal } = this.ending;
    while (!signal.aborted) {
      await delay(LAYOUT_LOOK_MS, undefined, { ref: false, signal }).catch(() => undefined);
      if (signal.aborted) return;
      // While no broker answers, nothing new comes either.
      const partitions = await kafka.fetchPartitionCount(topic).catch(() => this.partitions);
      if (partitions !== this.partitions) this.refuseGrown(partitions);
    }
  }

  /** What is in hand may have been sent to where its key leads now; it is not committed, so it is not lost. */
  private refuseGrown(partitions: number): void {
    const { log, topic } = this.options;
    log.error({ topic, partitions, known: this.partitions }, 'the topic grew, nothing more of it is stored');
    this.hasGrown = true;
    this.endWith(logLayoutChanged({ topic, partitions }, { topic, partitions: this.partitions }));
  }

  private async take(batch: FetchedBatch, keepAlive: () => Promise<void>): Promise<boolean> {
    while (!this.lanes.hasRoom) {
      await Promise.race([this.lanes.changed(), delay(KEEP_ALIVE_MS, undefined, { ref: false })]);
      await keepAlive();
    }
    if (this.ending.signal.aborted || !batch.isCurrent()) return false;
    const start = performance.now();
    const { partition, firstOffset, endOffset, highWatermark, isCurrent } = batch;
    if (partition >= this.partitions) {
      this.refuseGrown(partition + 1);
      return false;
    }
    const range = { topic: this.options.topic, partition, generation: GENERATION, firstOffset, endOffset };
    const block = buildBlock(range, batch.records, randomBytes(4).toString('hex'), this.options.cases);
    const traces = this.tracing.sdk === undefined ? [] : readTraces(batch.records);
    batch.letGo();
    const parsed = performance.now();
    const parseMs = Math.round(parsed - start);
    this.lanes.add({ block, isCurrent, highWatermark, parseMs, heldSinceMs: parsed, traces });
    return true;
  }

  private async write(group: readonly Held[]): Promise<void> {
    const { metrics } = this.options;
    const startMs = performance.now();
    const current = group.filter(({ isCurrent }) => !this.hasGrown && isCurrent());
    metrics.count('trueup_ingest_blocks_total', { outcome: 'abandoned' }, group.length - current.length);
    if (current.length === 0) return;
    const timings = await this.store(current);
    const storedMs = performance.now();
    for (const { block } of current) block.events.giveBack();
    // Asked again: what was fetched before a rebalance is durable now, but no longer ours to commit.
    const ends = new Map(
      current.filter(({ isCurrent }) => isCurrent()).map(({ block }) => [block.partition, block.endOffset]),
    );
    const committed = ends.size === 0 ? 'lost' : await this.consumer.commit(ends);
    metrics.record('trueup_ingest_store_seconds', {}, (storedMs - startMs) / 1000);
    const commitMs = Math.round(performance.now() - storedMs);
    for (const held of current) {
      const queuedMs = Math.round(startMs - held.heldSinceMs);
      this.report(held, { ...timings, queuedMs, commitMs, committed, group: current.length });
    }
  }

  /** One span for all of them, however many records they hold; it links to the traces of who sent them. */
  private async store(group: readonly Held[]): Promise<StoreTimings> {
    const { tracing } = this;
    const blocks = group.map(({ block }) => block);
    const links = [...new Set(group.flatMap(({ traces }) => traces))];
    return tracing.span('store blocks', { kind: 'consumer', links }, async (span) => {
      const sumOf = (counted: 'messages' | 'accepted' | 'rejected') =>
        blocks.reduce((sum, block) => sum + block[counted], 0);
      span.set({
        'messaging.system': 'kafka',
        'messaging.batch.message_count': sumOf('messages'),
        'trueup.blocks': blocks.length,
        'trueup.accepted': sumOf('accepted'),
        'trueup.rejected': sumOf('rejected'),
      });
      return this.options.store.write(blocks, tracing.traceparent());
    });
  }

  /** One wide line per block: what was read, what became of it, how long each step took. */
  private report({ block, highWatermark, parseMs }: Held, fields: Readonly<Record<string, string | number>>): void {
    const { log, metrics } = this.options;
    const { partition, firstOffset, endOffset, messages, accepted, rejected, valueBytes, reasons, events } = block;
    const lag = Number(highWatermark - endOffset);
    metrics.count('trueup_ingest_blocks_total', { outcome: 'stored' });
    metrics.count('trueup_ingest_records_total', { outcome: 'accepted' }, accepted);
    metrics.count('trueup_ingest_records_total', { outcome: 'rejected' }, rejected);
    metrics.count('trueup_ingest_received_bytes_total', {}, valueBytes);
    metrics.record('trueup_ingest_lag_records', { partition: String(partition) }, lag);
    for (const [reason, count] of Object.entries(reasons) as [RejectReason, number][]) {
      metrics.count('trueup_ingest_rejects_total', { reason }, count);
    }
    const range = { partition, firstOffset: String(firstOffset), endOffset: String(endOffset) };
    const counts = {
      messages,
      accepted,
      rejected,
      reasons,
      valueBytes,
      namespaces: events.namespaces.names.length,
      lag,
    };
    log.info({ block: block.block, ...range, ...counts, parseMs, ...fields }, 'block stored');
  }
}
