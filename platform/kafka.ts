// Kafka through kafkajs, which nobody else imports. What these files promise on top of it:
// - a batch says where reading stood before it, so that the ranges of consecutive batches join without gaps;
// - reading advances only over batches that were taken over, whatever kafkajs does between fetches and rebalances;
// - a commit that comes after the group has moved on is reported as lost, never thrown;
// - failures are `unavailable` (worth retrying) or `rejected`, by kafkajs' classes and protocol types, never by text.
// When the process dies, the group gives its partitions to others after the session timeout; they resume at the commits.

// First: it changes how kafkajs is loaded.
import './kafka-records.ts';
import kafkajs, {
  CompressionTypes,
  Kafka as KafkaJs,
  logLevel,
  Partitioners,
  type Admin,
  type Consumer,
  type KafkaJSError as KafkaJsFailure,
  type LogEntry,
  type Message,
} from 'kafkajs';
import { TrueupError } from '../domain/contracts/errors.ts';
import { GroupConsumer } from './kafka-consumer.ts';
import { fillFrames, openSocket } from './kafka-frames.ts';
import {
  fetchBounds,
  fetchPositions,
  listPositions,
  rewindGroupSince,
  type GroupTopic,
  type RewindStart,
} from './kafka-positions.ts';
import { stopIdleTimer } from './kafka-idle-timer.ts';
import type { Log } from './log.ts';
import { retryUnavailable } from './retry.ts';
import { TRACEPARENT } from './tracing.ts';

/** Node finds the names of kafkajs' error classes only on the module's default export. */
const { KafkaJSError } = kafkajs;

/** A record as it lies in the log; `timestamp` is epoch milliseconds, both numbers in decimal. */
export type LogRecord = {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: string;
  readonly offset: string;
};

/** To go through; a record of the log is made anew each time. */
export type LogRecords = Iterable<LogRecord> & { readonly length: number };

export type FetchedBatch = {
  readonly partition: number;
  /** Where reading stood: the end of the batch before, or the commit the group resumed from. */
  readonly firstOffset: bigint;
  readonly endOffset: bigint;
  /** End of the partition when the batch was fetched. */
  readonly highWatermark: bigint;
  readonly records: LogRecords;
  /** False once the group was joined anew: the partition may be another's by now. */
  readonly isCurrent: () => boolean;
  /** Nothing reads the records any more; what is fetched next may take their place. Going through them again throws. */
  readonly letGo: () => void;
};

export type ConsumerOptions = {
  readonly topic: string;
  readonly groupId: string;
  /**
   * Takes a batch over. True: reading goes on behind it, and committing its end is now the taker's business. False: it
   * was not taken and will be read again. While it waits, it must call `keepAlive` every second or so.
   */
  readonly onBatch: (batch: FetchedBatch, keepAlive: () => Promise<void>) => Promise<boolean>;
  readonly partitionBytesMax?: number;
  readonly fetchBytesMax?: number;
  readonly fetchBytesMin?: number;
  readonly fetchWaitMs?: number;
};

export type KafkaConsumer = {
  /** Joins the group and starts reading. */
  start(): Promise<void>;
  /** Rejects when reading has ended for good; never resolves. */
  readonly failed: Promise<never>;
  /** Commits end offsets by partition. `lost`: the group has moved on, the range will be read again by its new owner. */
  commit(endOffsets: ReadonlyMap<number, bigint>): Promise<'committed' | 'lost'>;
  /** No further fetches; what was handed over can still be committed. */
  pause(): void;
  /** Leaves the group and disconnects. */
  stop(): Promise<void>;
};

export type OutgoingRecord = {
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly timestampMs: number;
  /** W3C trace context of who sends it; it becomes a record header. */
  readonly traceparent?: string | undefined;
};

export type KafkaProducer = {
  /** Resolves when all in-sync replicas have the records. Throws `rejected` for a record beyond the topic's size. */
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
};

export type Kafka = {
  /** End offset per partition, index = partition number. Throws unless every partition answered. */
  fetchEndOffsets(topic: string): Promise<bigint[]>;
  /** As the brokers say now; what else is asked may know a topic that grew as it was for some minutes. */
  fetchPartitionCount(topic: string): Promise<number>;
  /** True when made, false when it was there. */
  createTopic(
    topic: string,
    options: { partitions: number; config?: Readonly<Record<string, string>> },
  ): Promise<boolean>;
  /** Sets a group that has no members back to the start of the log: everything is delivered again. */
  rewindGroup(groupId: string, topic: string): Promise<void>;
  /**
   * Sets a group that has no members back to the first records that arrived at `since` or later, or to these offsets, never
   * forward, and returns where it stands. Throws `rejected` KAFKA_REJECTED while the group has members.
   */
  rewindGroupSince(groupId: string, topic: string, since: RewindStart): Promise<bigint[]>;
  /** Where a group stands, index = partition number: its commits, and the start of the log where it has none. */
  fetchGroupPositions(groupId: string, topic: string): Promise<bigint[]>;
  /** Resolves when the topic exists and the brokers answer; says once what it waits for. */
  waitForTopic(topic: string, signal?: AbortSignal): Promise<void>;
  createConsumer(options: ConsumerOptions): KafkaConsumer;
  /**
   * One request in flight, acknowledged by all in-sync replicas. Not kafkajs' idempotent producer: that one is stuck once
   * it gave up on a batch, and a copy sent twice is taken care of by the event's identity anyway.
   */
  createProducer(): Promise<KafkaProducer>;
  close(): Promise<void>;
};

export type KafkaOptions = { readonly brokers: string; readonly clientId: string; readonly log: Log };

/** A dead member's partitions go to others after this long; handlers keep the session alive while they wait. */
const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 2_000;
const TOPIC_POLL_MS = 500;

export function createKafka({ brokers, clientId, log }: KafkaOptions): Kafka {
  stopIdleTimer();
  fillFrames();
  const kafka = new KafkaJs({
    brokers: brokers.split(','),
    clientId,
    socketFactory: openSocket,
    connectionTimeout: 3_000,
    requestTimeout: 30_000,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 8 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => forwardLog(log, entry),
  });
  const admin = kafka.admin();
  let connected: Promise<void> | undefined;
  const withAdmin = async <T>(work: (admin: Admin) => Promise<T>) =>
    translate(async () => {
      connected ??= admin.connect();
      try {
        await connected;
      } catch (error) {
        connected = undefined;
        throw error;
      }
      return work(admin);
    });
  return {
    fetchEndOffsets: async (topic) =>
      (await withAdmin(async (client) => fetchBounds(client, topic))).map(({ end }) => end),
    fetchPartitionCount: async (topic) => {
      const { topics } = await withAdmin(async (client) => client.fetchTopicMetadata({ topics: [topic] }));
      return topics[0]?.partitions.length ?? 0;
    },
    createTopic: async (topic, { partitions, config = {} }) => {
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
      const topics = [{ topic, numPartitions: partitions, configEntries }];
      return withAdmin(async (client) => client.createTopics({ topics, waitForLeaders: true }));
    },
    rewindGroup: async (groupId, topic) =>
      withAdmin(async (client) => client.resetOffsets({ groupId, topic, earliest: true })),
    rewindGroupSince: async (groupId, topic, since) =>
      withAdmin(async (client) => rewindGroupSince(client, { groupId, topic }, since)),
    fetchGroupPositions: async (groupId, topic) =>
      withAdmin(async (client) => listPositions(await fetchPositions(client, { groupId, topic }), topic)),
    waitForTopic: async (topic, signal) =>
      waitForTopic(async () => withAdmin((client) => client.listTopics()), {
        topic,
        log,
        ...(signal ? { signal } : {}),
      }),
    createConsumer: (options) => {
      const fetch = async (of: GroupTopic) => withAdmin(async (client) => fetchPositions(client, of));
      return new GroupConsumer(createGroupMember(kafka, options), options, { fetchPositions: fetch, toTrueupError });
    },
    createProducer: async () => createProducer(kafka),
    close: async () => admin.disconnect(),
  };
}

function createGroupMember(kafka: KafkaJs, options: ConsumerOptions): Consumer {
  return kafka.consumer({
    groupId: options.groupId,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_MS,
    rebalanceTimeout: 30_000,
    allowAutoTopicCreation: false,
    maxBytesPerPartition: options.partitionBytesMax ?? 1024 * 1024,
    maxBytes: options.fetchBytesMax ?? 16 * 1024 * 1024,
    minBytes: options.fetchBytesMin ?? 1,
    maxWaitTimeInMs: options.fetchWaitMs ?? 500,
  });
}

type TopicWait = { readonly topic: string; readonly log: Log; readonly signal?: AbortSignal };

async function waitForTopic(listTopics: () => Promise<string[]>, { topic, log, signal }: TopicWait): Promise<void> {
  let said = false;
  const say = (why: string) => {
    if (!said) log.warn({ topic, why }, 'waiting for a Kafka topic; create it, or start what creates it');
    said = true;
  };
  const options = {
    firstDelayMs: TOPIC_POLL_MS,
    maxDelayMs: TOPIC_POLL_MS,
    onRetry: (error: unknown) => say(String(error)),
  };
  await retryUnavailable(
    async () => {
      if ((await listTopics()).includes(topic)) return;
      throw new TrueupError({
        kind: 'unavailable',
        code: 'KAFKA_UNAVAILABLE',
        message: `topic ${topic} does not exist`,
      });
    },
    signal === undefined ? options : { ...options, signal },
  );
}

async function createProducer(kafka: KafkaJs): Promise<KafkaProducer> {
  const producer = kafka.producer({
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await translate(async () => producer.connect());
  return {
    send: async (topic, records) => {
      const messages = records.map(toMessage);
      await translate(async () => producer.send({ topic, acks: -1, compression: CompressionTypes.None, messages }));
    },
    close: async () => producer.disconnect(),
  };
}

function toMessage({ key, value, timestampMs, traceparent }: OutgoingRecord): Message {
  const message = { key, value, timestamp: String(timestampMs) };
  return traceparent === undefined ? message : { ...message, headers: { [TRACEPARENT]: traceparent } };
}

async function translate<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toTrueupError(error);
  }
}

/** kafkajs wraps what it gave up on; whether a retry helps stands on the innermost error. */
function toTrueupError(error: unknown): unknown {
  if (!(error instanceof KafkaJSError)) return error;
  let cause: KafkaJsFailure = error;
  while (cause.cause instanceof KafkaJSError) cause = cause.cause;
  const type = 'type' in cause && typeof cause.type === 'string' ? cause.type : cause.name;
  const retryable = cause.retriable || error.name === 'KafkaJSNumberOfRetriesExceeded';
  return new TrueupError({
    kind: retryable ? 'unavailable' : 'rejected',
    code: retryable ? 'KAFKA_UNAVAILABLE' : 'KAFKA_REJECTED',
    message: `Kafka ${retryable ? 'did not answer' : 'refused a request'} (${type}): ${cause.message}`,
    cause: error,
  });
}

/** kafkajs reports what it is about to retry as errors; what it gives up on reaches us as one, and is logged there. */
function forwardLog(
  log: Log,
  { namespace, level, log: { message, groupId, topic, partition, error } }: LogEntry,
): void {
  const fields = { client: namespace, groupId, topic, partition, error };
  if (level <= logLevel.WARN) log.warn(fields, message);
  else log.debug(fields, message);
}
