import { randomBytes } from 'node:crypto';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import { createTopics } from './kafka.ts';

test('missing topics are created, never expire by age, and creating them again changes nothing', async () => {
  const { TRUEUP_KAFKA_BROKERS: brokers } = process.env;
  if (brokers === undefined) throw new Error('the test stack is not up: run integration tests with npm run test:it');
  const [old, fresh] = ['old', 'fresh'].map((word) => `topics.${word}.${randomBytes(4).toString('hex')}`);
  if (old === undefined || fresh === undefined) throw new Error('two names');
  await createTopics(brokers, [{ topic: old, partitions: 3 }]);
  await createTopics(brokers, [
    { topic: old, partitions: 8 },
    { topic: fresh, partitions: 1 },
  ]);

  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [old, fresh] });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: fresh, configNames: ['retention.ms'] }],
  });
  await admin.disconnect();
  expect(Object.fromEntries(topics.map(({ name, partitions }) => [name, partitions.length]))).toEqual({
    [old]: 3,
    [fresh]: 1,
  });
  expect(resources[0]?.configEntries[0]).toMatchObject({ configName: 'retention.ms', configValue: '-1' });
});
