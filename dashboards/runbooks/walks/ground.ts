// What the walks' world stands on: servers with rules that live faster, schema, topics, and accounts with a month to bill.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClients, type DemoClients } from '../../../fixtures/demo/clients.ts';
import { createSimulatedTime, type SimulatedTime } from '../../../fixtures/demo/simulated-time.ts';
import { mountDisk, type Disk } from '../../../fixtures/torture/disk.ts';
import { parseEnv } from '../../../platform/env.ts';
import { createKafka, type Kafka } from '../../../platform/kafka.ts';
import { createLog } from '../../../platform/log.ts';
import { migrate } from '../../../platform/migrate.ts';
import { retryUnavailable } from '../../../platform/retry.ts';
import { provisionBilling } from '../../../reconcile/door.ts';
import { reservePort } from '../../../stack/ports.ts';
import { startStack, type Stack } from '../../../stack/stack.ts';
import { renderAlertmanagerConfig } from '../../alertmanager/config.ts';
import { createPace } from '../../pace.ts';
import { renderWalkRules, SPEED } from './pace.ts';
import { BEGIN_MS, LARGE, PERIOD, SMALL } from './setting.ts';

export type Ground = {
  readonly stack: Stack;
  /** ClickHouse's own small one; undefined where this user can't mount it. */
  readonly disk: Disk | undefined;
  readonly variables: Readonly<Record<string, string>>;
  readonly clients: DemoClients;
  readonly kafka: Kafka;
  readonly time: SimulatedTime;
};

export type Stops = (() => Promise<void> | void)[];

export const TOPICS = { topic: 'usage.events.v1', manifestTopic: 'usage.manifests.v1' } as const;

const SERVERS = [
  'kafka',
  'clickhouse',
  'temporal',
  'postgres',
  'redis',
  'stripe',
  'prometheus',
  'alertmanager',
] as const;
const EVERY_MS = 1_000;
const PARTITIONS = 2;
/** Arrival is simulated, so records may be older or newer than the broker's clock. */
const TOPIC = {
  'retention.ms': '-1',
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.after.max.ms': '9223372036854775807',
  'message.timestamp.before.max.ms': '9223372036854775807',
};

export type GroundOptions = { readonly name: string; readonly folder: string; readonly receiverUrl: string };

/** What is to be stopped again is added to `stops`, also when this fails half way. */
export async function prepareGround(options: GroundOptions, stops: Stops): Promise<Ground> {
  const stack = await startServers(options);
  stops.push(async () => stack.stop());
  const disk = await mountDisk(stack);
  // After the engine, which writes there.
  stops.unshift(() => disk?.unmount());
  const variables = await chooseVariables(stack);
  const env = parseEnv(variables);
  const { TRUEUP_POSTGRES_URL: postgresUrl, TRUEUP_CLICKHOUSE_URL: clickhouseUrl } = env;
  await migrate({ postgresUrl, clickhouseUrl, clickhouseDatabase: env.TRUEUP_CLICKHOUSE_DATABASE });
  const clients = await createClients(env);
  stops.push(async () => clients.close());
  const log = createLog('walks', 'silent');
  const kafka = createKafka({ brokers: env.TRUEUP_KAFKA_BROKERS, clientId: 'walks', log });
  stops.push(async () => kafka.close());
  for (const topic of Object.values(TOPICS)) {
    // A broker that has just started may not know the new topic at once.
    await retryUnavailable(async () => kafka.createTopic(topic, { partitions: PARTITIONS, config: TOPIC }));
  }
  const time = await createSimulatedTime(clients.db, clients.stripe, PERIOD.startAtMs);
  await registerAccounts(clients, time);
  await time.advance(BEGIN_MS);
  return { stack, disk, variables, clients, kafka, time };
}

async function startServers({ name, folder, receiverUrl }: GroundOptions): Promise<Stack> {
  const ruleFile = join(folder, 'rules.yaml');
  const configFile = join(folder, 'alertmanager.yaml');
  writeFileSync(ruleFile, renderWalkRules());
  writeFileSync(configFile, renderAlertmanagerConfig(createPace(SPEED)));
  const settings = {
    prometheus: { ruleFiles: [ruleFile], everyMs: EVERY_MS },
    alertmanager: { configFile, otherwise: receiverUrl },
  };
  return startStack({ name, servers: SERVERS, ignoreGiven: true, log: () => undefined, settings });
}

async function chooseVariables(stack: Stack): Promise<Record<string, string>> {
  const reserved = await Promise.all([reservePort(), reservePort()]);
  const [http = '', webhooks = ''] = reserved.map(({ port }) => `${port}`);
  await Promise.all(reserved.map(async ({ release }) => release()));
  return {
    ...stack.env,
    TRUEUP_CLICKHOUSE_DATABASE: 'trueup',
    TRUEUP_CLOCK: 'simulated',
    TRUEUP_TOPIC: TOPICS.topic,
    TRUEUP_MANIFEST_TOPIC: TOPICS.manifestTopic,
    TRUEUP_HTTP_PORT: http,
    TRUEUP_WEBHOOK_PORT: webhooks,
    TRUEUP_STRIPE_WEBHOOK_SECRETS: 'whsec_walks',
    TRUEUP_WATCH_SECONDS: '1',
    TRUEUP_STANDSTILL_SECONDS: '2',
  };
}

async function registerAccounts({ accounts, billing }: DemoClients, { testClock }: SimulatedTime): Promise<void> {
  for (const id of [LARGE, SMALL]) {
    const plan = { planId: 'developer', contracts: [], namespaces: [`main.${id}`] } as const;
    await accounts.register({ id, currency: 'usd', createdAtMs: PERIOD.startAtMs, ...plan });
  }
  await provisionBilling({ billing, accounts, atMs: PERIOD.startAtMs, testClockOf: () => testClock });
}
