// Reading a topic as a member of a group: what kafka.ts promises about batches, positions and commits is kept here.

import type { Consumer, EachBatchPayload } from 'kafkajs';
import { invariant } from '../domain/contracts/errors.ts';
import { LoggedRecords } from './kafka-record.ts';
import type { ConsumerOptions, KafkaConsumer, LogRecords } from './kafka.ts';

export type ConsumerClient = {
  /** Where the group stands in every partition: its commit, or the start of the log if there is none. */
  fetchPositions(options: Pick<ConsumerOptions, 'groupId' | 'topic'>): Promise<Map<number, bigint>>;
  /** Anything that is not a failure of Kafka comes back as it is. */
  toTrueupError(error: unknown): unknown;
};

/**
 * kafkajs advances by "resolving" offsets, and starts again from the commits whenever the group is joined anew. With
 * several brokers a batch fetched before such a restart can reach the handler after it; reading on behind it would skip
 * what lies between. So every batch must begin where this consumer knows it stands, or reading is set back.
 */
export class GroupConsumer implements KafkaConsumer {
  readonly failed: Promise<never>;
  private readonly consumer: Consumer;
  private readonly options: ConsumerOptions;
  private readonly client: ConsumerClient;
  private paused = false;
  /** Counts joins: what was fetched under one must not be committed under another. */
  private joins = 0;
  private positions: Promise<Map<number, bigint>> | undefined;
  /** Positions a partition was set back to: a jump from exactly there is a real hole (control records, compaction). */
  private readonly setBackTo = new Map<number, bigint>();

  constructor(consumer: Consumer, options: ConsumerOptions, client: ConsumerClient) {
    this.consumer = consumer;
    this.options = options;
    this.client = client;
    this.consumer.on(this.consumer.events.GROUP_JOIN, () => {
      this.joins += 1;
      this.positions = undefined;
      this.setBackTo.clear();
    });
    this.failed = new Promise((_, fail) => {
      this.consumer.on(this.consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) fail(client.toTrueupError(payload.error));
      });
    });
    // Whoever awaits it later still sees the rejection; until then it must not end the process by itself.
    this.failed.catch(() => undefined);
  }

  async start(): Promise<void> {
    try {
      await this.consumer.connect();
      await this.consumer.subscribe({ topics: [this.options.topic], fromBeginning: true });
      await this.consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        // Taking over is quick, so one batch after the other; storing them is what runs side by side.
        partitionsConsumedConcurrently: 1,
        eachBatch: async (payload) => this.handle(payload),
      });
    } catch (error) {
      throw this.client.toTrueupError(error);
    }
  }

  async commit(endOffsets: ReadonlyMap<number, bigint>): Promise<'committed' | 'lost'> {
    const { topic } = this.options;
    const entries = [...endOffsets].map(([partition, end]) => ({ topic, partition, offset: String(end) }));
    try {
      await this.consumer.commitOffsets(entries);
      return 'committed';
    } catch (error) {
      if (this.client.toTrueupError(error) === error) throw error;
      return 'lost';
    }
  }

  pause(): void {
    this.paused = true;
    try {
      this.consumer.pause([{ topic: this.options.topic }]);
    } catch {
      // Not reading: it never started, or kafkajs is between two attempts. What it fetches later is not taken.
    }
  }

  async stop(): Promise<void> {
    await this.consumer.disconnect();
  }

  private async handle(payload: EachBatchPayload): Promise<void> {
    if (this.paused) return;
    const { batch } = payload;
    const join = this.joins;
    const isCurrent = () => this.joins === join;
    const positions = await this.fetchPositions();
    const { topic } = this.options;
    const { partition } = batch;
    const fetchedFrom = BigInt(fetchedOffsetOf(batch));
    const known = positions.get(partition) ?? fetchedFrom;
    if (fetchedFrom > known && this.setBackTo.get(partition) !== known) {
      this.setBackTo.set(partition, known);
      this.consumer.seek({ topic, partition, offset: String(known) });
      return;
    }
    const firstOffset = fetchedFrom < known ? fetchedFrom : known;
    const lastOffset = batch.lastOffset();
    const taken = await this.options.onBatch(
      {
        partition,
        firstOffset,
        endOffset: BigInt(lastOffset) + 1n,
        highWatermark: BigInt(batch.highWatermark),
        records: batch.messages,
        isCurrent,
        letGo: () => letGoOf(batch.messages),
      },
      async () => payload.heartbeat(),
    );
    if (!taken || !isCurrent()) return;
    positions.set(partition, BigInt(lastOffset) + 1n);
    payload.resolveOffset(lastOffset);
  }

  /** Where the group resumed, asked once per join; later kept by what was taken over. */
  private async fetchPositions(): Promise<Map<number, bigint>> {
    this.positions ??= this.client.fetchPositions(this.options);
    try {
      return await this.positions;
    } catch (error) {
      this.positions = undefined;
      throw error;
    }
  }
}

function letGoOf(records: LogRecords): void {
  if (records instanceof LoggedRecords) records.letGo();
}

/** Where the fetch stood. kafkajs sets it on every batch but leaves it out of its types. */
function fetchedOffsetOf(batch: object): string {
  const offset = 'fetchedOffset' in batch ? batch.fetchedOffset : undefined;
  invariant(typeof offset === 'string', 'I1', 'kafkajs did not say where a batch was fetched from');
  return offset;
}
