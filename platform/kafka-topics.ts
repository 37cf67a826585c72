// What brokers say about topics and groups, for whoever judges an installation. Reads only. It asks with patience for a few
// seconds at most, unlike what processes do.

// First: it changes how kafkajs is loaded.
import './kafka-records.ts';
import kafkajs, { Kafka as KafkaJs, logLevel, type Admin } from 'kafkajs';
import { stopIdleTimer } from './kafka-idle-timer.ts';
import { fetchBounds, fetchPositions, type GroupTopic } from './kafka-positions.ts';

/** Node finds it only on the module's default export. */
const { ConfigResourceTypes } = kafkajs;

export type TopicFacts = {
  readonly partitions: readonly { readonly hasLeader: boolean; readonly replicas: number; readonly inSync: number }[];
  /** In force, whether set on the topic or by the broker. */
  readonly settings: ReadonlyMap<string, string>;
};

export type GroupFacts = {
  readonly members: number;
  /** Whether it ever committed in this topic. */
  readonly committed: boolean;
  /** Records behind its commits, or behind the start of the log where it has none. */
  readonly lag: bigint;
};

export type KafkaInspection = {
  /** Resolves when a broker answers. */
  greet(): Promise<void>;
  /** Null when there is no such topic. */
  fetchTopic(topic: string): Promise<TopicFacts | null>;
  fetchGroup(of: GroupTopic): Promise<GroupFacts>;
  close(): Promise<void>;
};

export function openKafkaInspection(brokers: string): KafkaInspection {
  stopIdleTimer();
  const admin = new KafkaJs({
    brokers: brokers.split(','),
    clientId: 'trueup-inspection',
    connectionTimeout: 4_000,
    requestTimeout: 8_000,
    retry: { retries: 1, initialRetryTime: 100 },
    logLevel: logLevel.NOTHING,
  }).admin();
  return {
    greet: async () => admin.connect(),
    fetchTopic: async (topic) => fetchTopic(admin, topic),
    fetchGroup: async (of) => fetchGroup(admin, of),
    close: async () => admin.disconnect(),
  };
}

const NO_LEADER = -1;

async function fetchTopic(admin: Admin, topic: string): Promise<TopicFacts | null> {
  if (!(await admin.listTopics()).includes(topic)) return null;
  const [metadata, described] = await Promise.all([
    admin.fetchTopicMetadata({ topics: [topic] }),
    admin.describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }] }),
  ]);
  return {
    partitions: (metadata.topics[0]?.partitions ?? []).map(({ leader, replicas, isr }) => ({
      hasLeader: leader !== NO_LEADER,
      replicas: replicas.length,
      inSync: isr.length,
    })),
    settings: new Map(
      described.resources.flatMap(({ configEntries }) =>
        configEntries.map(({ configName, configValue }) => [configName, configValue] as const),
      ),
    ),
  };
}

async function fetchGroup(admin: Admin, of: GroupTopic): Promise<GroupFacts> {
  const [described, offsets, bounds, positions] = await Promise.all([
    admin.describeGroups([of.groupId]),
    admin.fetchOffsets({ groupId: of.groupId, topics: [of.topic] }),
    fetchBounds(admin, of.topic),
    fetchPositions(admin, of),
  ]);
  return {
    members: described.groups[0]?.members.length ?? 0,
    committed: offsets.flatMap(({ partitions }) => partitions).some(({ offset }) => BigInt(offset) >= 0n),
    lag: bounds.reduce((sum, { end }, partition) => sum + end - (positions.get(partition) ?? end), 0n),
  };
}
