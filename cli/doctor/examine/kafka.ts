// Kafka: protocol, both topics, both groups. Reads only.

import { GROUP_BYTES_MAX } from '../../../ingest/http/log-writer.ts';
import { manifestGroupOf } from '../../../ingest/manifests.ts';
import { sinkGroupOf } from '../../../ingest/sink.ts';
import { createClock, type BusinessClockTables } from '../../../platform/clock.ts';
import type { Env } from '../../../platform/env.ts';
import { openKafkaInspection, type KafkaInspection } from '../../../platform/kafka-topics.ts';
import { fetchApiVersions } from '../../../platform/kafka-versions.ts';
import { createPostgres } from '../../../platform/postgres.ts';
import { EVENT_LIMITS } from '../../../domain/contracts/topics.ts';
import type { CommandContext } from '../../command.ts';
import { judgeFact, learn, type Fact } from '../fact.ts';
import type { Area, Finding } from '../finding.ts';
import { judgeBrokerClock } from '../judge/clock.ts';
import { isLive } from '../judge/configuration.ts';
import { judgeApis, judgeGroup } from '../judge/kafka.ts';
import { judgeTopic, type TopicNeeds } from '../judge/topics.ts';
import { examine } from '../server.ts';

/** Around the records of a batch. */
const BATCH_HEADER_BYTES = 61;
/** A manifest is far smaller than an event may be. */
const BATCH_BYTES = { usage: GROUP_BYTES_MAX + BATCH_HEADER_BYTES, manifests: EVENT_LIMITS.lineBytesMax };

export async function examineKafka(context: CommandContext): Promise<Area> {
  return examine({
    area: 'kafka',
    variable: 'TRUEUP_KAFKA_BROKERS',
    open: () => {
      const env = context.env('TRUEUP_KAFKA_BROKERS', 'TRUEUP_TOPIC', 'TRUEUP_MANIFEST_TOPIC', 'TRUEUP_CLOCK');
      return { env, inspection: openKafkaInspection(env.TRUEUP_KAFKA_BROKERS) };
    },
    close: async ({ inspection }) => inspection.close(),
    place: ({ env }) => env.TRUEUP_KAFKA_BROKERS,
    greet: async ({ inspection }) => inspection.greet(),
    checks: ['protocol', 'topics', 'groups', 'skew to Kafka'],
    look: async ({ env, inspection }) => {
      const clock = env.TRUEUP_CLOCK;
      const shared = { clock, live: isLive(context.variables), aheadMs: await fetchAheadMs(context, clock) };
      const [apis, ...topics] = await Promise.all([
        learn(async () => fetchApiVersions(env.TRUEUP_KAFKA_BROKERS)),
        lookAtTopic(inspection, { ...shared, topic: env.TRUEUP_TOPIC, batchBytes: BATCH_BYTES.usage }),
        lookAtTopic(inspection, { ...shared, topic: env.TRUEUP_MANIFEST_TOPIC, batchBytes: BATCH_BYTES.manifests }),
      ]);
      const groups = await Promise.all([
        lookAtGroup(inspection, sinkGroupOf(env.TRUEUP_TOPIC), topics[0]),
        lookAtGroup(inspection, manifestGroupOf(env.TRUEUP_MANIFEST_TOPIC), topics[1]),
      ]);
      const found = topics.map(({ findings }) => findings);
      return [...judgeFact('protocol', apis, judgeApis), ...found.flat(), ...groups.flat(), ...judgeBrokerClock(clock)];
    },
  });
}

type Topic = { readonly name: string; readonly exists: boolean; readonly findings: readonly Finding[] };

async function lookAtTopic(inspection: KafkaInspection, needs: TopicNeeds): Promise<Topic> {
  const facts = await learn(async () => inspection.fetchTopic(needs.topic));
  return {
    name: needs.topic,
    exists: facts.known && facts.value !== null,
    findings: judgeFact(needs.topic, facts, (topic) => judgeTopic(topic, needs)),
  };
}

async function lookAtGroup(inspection: KafkaInspection, groupId: string, { name, exists }: Topic) {
  // Without its topic a group has nothing to read, and the topic was told about.
  if (!exists) return [];
  const facts = await learn(async () => inspection.fetchGroup({ groupId, topic: name }));
  return judgeFact(`group ${groupId}`, facts, (group) => [judgeGroup(groupId, group)]);
}

/** Null where it is not simulated, not set or not to be learned; the clock's own check says which. */
async function fetchAheadMs(context: CommandContext, mode: Env['TRUEUP_CLOCK']): Promise<number | null> {
  if (mode === 'wall') return null;
  const nowMs: Fact<number> = await learn(async () => {
    const db = createPostgres<BusinessClockTables>(context.env('TRUEUP_POSTGRES_URL').TRUEUP_POSTGRES_URL, 1);
    try {
      return await createClock(mode, db).now();
    } finally {
      await db.destroy();
    }
  });
  return nowMs.known ? nowMs.value - Date.now() : null;
}
