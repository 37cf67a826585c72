import { randomBytes } from 'node:crypto';
// First, as in production: it changes how kafkajs is loaded.
import { createKafka, type FetchedBatch, type Kafka, type KafkaConsumer } from './kafka.ts';
import { Kafka as KafkaJs, logLevel, Partitioners } from 'kafkajs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../stack/testing/eventually.ts';
import { createLog } from './log.ts';

let kafka: Kafka;
let topic: string;
const consumers: KafkaConsumer[] = [];

function brokers(): string {
  const { TRUEUP_KAFKA_BROKERS: given } = process.env;
  if (given === undefined) throw new Error('the test stack is not up: run integration tests with npm run test:it');
  return given;
}

beforeEach(async () => {
  kafka = createKafka({ brokers: brokers(), clientId: 'test-consumer', log: createLog('test', 'silent') });
  topic = `consumer.${randomBytes(4).toString('hex')}`;
  await kafka.createTopic(topic, { partitions: 1 });
});
afterEach(async () => {
  await Promise.all(consumers.splice(0).map(async (consumer) => consumer.stop()));
  await kafka.close();
});

async function consume(onBatch: (batch: FetchedBatch) => boolean): Promise<KafkaConsumer> {
  const consumer = kafka.createConsumer({
    topic,
    groupId: `group-${topic}`,
    onBatch: async (batch) => Promise.resolve(onBatch(batch)),
  });
  consumers.push(consumer);
  await consumer.start();
  return consumer;
}

async function send(...ids: string[]): Promise<void> {
  const producer = await kafka.createProducer();
  await producer.send(
    topic,
    ids.map((id) => ({ key: id, value: id, timestampMs: 1_791_030_896_000 })),
  );
  await producer.close();
}

/** Records followed by a control record; aborted ones are never delivered. */
async function sendInTransaction(id: string, end: 'commit' | 'abort'): Promise<void> {
  const client = new KafkaJs({ brokers: brokers().split(','), logLevel: logLevel.NOTHING });
  const producer = client.producer({
    transactionalId: `tx-${topic}-${id}`,
    maxInFlightRequests: 1,
    idempotent: true,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: [{ key: id, value: id }] });
  await transaction[end]();
  await producer.disconnect();
}

test('ranges join without gaps over control records and aborted transactions, and nothing is delivered twice', async () => {
  const ranges: [bigint, bigint][] = [];
  const seen: string[] = [];
  await consume(({ firstOffset, endOffset, records }) => {
    ranges.push([firstOffset, endOffset]);
    seen.push(...Array.from(records, ({ value }) => String(value)));
    return true;
  });
  const until = async (count: number) => eventually(20_000, () => (seen.length >= count ? true : undefined));
  await send('a');
  await until(1);
  await sendInTransaction('b', 'commit');
  await until(2);
  for (const id of ['x', 'y', 'z']) await sendInTransaction(id, 'abort');
  await send('c');
  await until(3);
  expect(seen).toEqual(['a', 'b', 'c']);
  let position = 0n;
  for (const [first, end] of ranges) {
    expect(first).toBe(position);
    position = end;
  }
  expect(position).toBe((await kafka.fetchEndOffsets(topic))[0]);
});

test('a batch that was not taken is delivered again, and the next member resumes at the commit', async () => {
  await send('a', 'b', 'c');
  let refusals = 0;
  const first = await consume(() => {
    refusals += 1;
    return false;
  });
  await eventually(20_000, () => (refusals >= 2 ? true : undefined));
  expect(await first.commit(new Map([[0, 2n]]))).toBe('committed');
  await first.stop();
  consumers.pop();
  const seen: string[] = [];
  await consume(({ firstOffset, records }) => {
    expect(firstOffset).toBe(2n);
    seen.push(...Array.from(records, ({ value }) => String(value)));
    return true;
  });
  await eventually(20_000, () => (seen.length > 0 ? true : undefined));
  expect(seen).toEqual(['c']);
});

test('a batch knows when the group has moved on, and its commit is lost without an error', async () => {
  await send('a');
  const batches: FetchedBatch[] = [];
  const first = await consume((batch) => {
    batches.push(batch);
    return true;
  });
  const [batch] = await eventually(20_000, () => (batches.length > 0 ? batches : undefined));
  expect(batch?.isCurrent()).toBe(true);
  await consume(() => true);
  await eventually(20_000, () => (batch?.isCurrent() === false ? true : undefined));
  await first.stop();
  consumers.shift();
  expect(await first.commit(new Map([[0, 1n]]))).toBe('lost');
});

test('a topic that does not exist has no end offsets: unknown is never zero', async () => {
  await expect(kafka.fetchEndOffsets(`${topic}.missing`)).rejects.toMatchObject({ name: 'TrueupError' });
});

test('a broker that is not there is unavailable', async () => {
  const nowhere = createKafka({ brokers: '127.0.0.1:1', clientId: 'nowhere', log: createLog('test', 'silent') });
  await expect(nowhere.fetchEndOffsets(topic)).rejects.toMatchObject({ kind: 'unavailable' });
}, 30_000);
