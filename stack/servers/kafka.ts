// Kafka: one broker that is its own controller (KRaft). Promises: keeps data and cluster id over kill -9; records are never deleted by age;
// record timestamps far from the wall clock are taken, since simulated months bring their own; topics exist only when somebody created them.
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { fetchSha256, installOnce, type Log } from '../cache.ts';
import { findProgram, runStep } from '../commands.ts';
import { StackError } from '../errors.ts';
import { versions } from '../versions.ts';
import { must, type Ports, type Server } from './server.ts';

const clusterId = 'dHJ1ZXVwLWRldi1zdGFjaw';
const missingJava = 'install Java 17 or later (Debian: apt-get install openjdk-17-jre-headless)';
const missingMaven = 'install Maven (Debian: apt-get install maven)';
const room = join(import.meta.dirname, '..', 'kafka');

export const kafka: Server = {
  name: 'kafka',
  variables: ['TRUEUP_KAFKA_BROKERS'],
  ports: ['broker', 'controller'],
  composeService: 'kafka',
  readyWithinMs: 90_000,

  async install(log) {
    await checkJava();
    const { version, jars } = versions.kafka;
    const folder = await installOnce(
      { name: 'kafka', version, pin: JSON.stringify(jars) },
      async (temporary) => fetchJars(temporary, log),
      log,
    );
    return { jars: folder };
  },

  async start({ dataDir, ports, installed }) {
    const classPath = join(must(installed, 'jars'), '*');
    const properties = join(dataDir, 'server.properties');
    const logs = join(dataDir, 'log');
    await mkdir(logs, { recursive: true });
    await writeFile(properties, formatProperties(logs, ports));
    if (!existsSync(join(logs, 'meta.properties'))) {
      const format = ['kafka.tools.StorageTool', 'format', '--cluster-id', clusterId, '--config', properties];
      const step = { what: 'formatting Kafka’s log folder', missing: missingJava };
      await runStep(['java', '-Xshare:auto', '-XX:TieredStopAtLevel=1', '-cp', classPath, ...format], step);
    }
    const heap = ['-Xms256m', '-Xmx512m', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-Djava.awt.headless=true'];
    const simpleLogger = 'org.slf4j.simpleLogger';
    const logging = [
      `-D${simpleLogger}.defaultLogLevel=warn`,
      `-D${simpleLogger}.log.kafka.server.KafkaRaftServer=info`,
      `-D${simpleLogger}.showDateTime=true`,
      `-D${simpleLogger}.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS`,
    ];
    return { command: 'java', args: [...heap, ...logging, '-cp', classPath, 'kafka.Kafka', properties], cwd: dataDir };
  },

  addresses: (ports) => ({ TRUEUP_KAFKA_BROKERS: `127.0.0.1:${must(ports, 'broker')}` }),

  async ready(addresses) {
    process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';
    const brokers = must(addresses, 'TRUEUP_KAFKA_BROKERS').split(',');
    const client = new Kafka({
      brokers,
      clientId: 'stack',
      connectionTimeout: 2_000,
      requestTimeout: 5_000,
      retry: { retries: 0 },
      logLevel: logLevel.NOTHING,
    });
    const admin = client.admin();
    try {
      await admin.connect();
      const cluster = await admin.describeCluster();
      if (cluster.brokers.length === 0) throw new Error('the cluster has no broker yet');
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  },
};

export type Topic = { topic: string; partitions: number };

/** Creates what is missing and leaves what exists as it is. Nothing in these topics expires by age. */
export async function createTopics(brokers: string, topics: readonly Topic[]): Promise<void> {
  const admin = new Kafka({ brokers: brokers.split(','), clientId: 'stack', logLevel: logLevel.NOTHING }).admin();
  try {
    await admin.connect();
    for (const { topic, partitions } of topics) {
      // Arrival is the broker's to say, as in production: the only caller runs on the wall clock.
      const configEntries = [
        { name: 'retention.ms', value: '-1' },
        { name: 'message.timestamp.type', value: 'LogAppendTime' },
      ];
      await admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }], waitForLeaders: true });
    }
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function checkJava(): Promise<void> {
  const step = { what: 'looking for Java', missing: missingJava };
  if (findProgram('java') === undefined) {
    throw new StackError({ what: 'Kafka needs Java', where: 'PATH', next: missingJava });
  }
  const said = await runStep(['java', '--version'], step);
  const major = Number(/(\d+)/.exec(said)?.[1] ?? '0');
  if (major < 17) throw new StackError({ what: 'Java is too old for Kafka', where: said.trim(), next: missingJava });
}

/** Maven fetches by coordinates; what counts is that the set of jars and every jar's SHA-256 are the pinned ones. */
async function fetchJars(folder: string, log: Log): Promise<void> {
  log('  fetching jars (43 MB) through Maven');
  await runStep(
    ['mvn', '-B', '-q', '-f', join(room, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`],
    { what: 'installing Kafka', missing: missingMaven },
  );
  const fetched = (await readdir(folder)).sort();
  const pinned = Object.keys(versions.kafka.jars).sort();
  const odd = [...fetched.filter((jar) => !pinned.includes(jar)), ...pinned.filter((jar) => !fetched.includes(jar))];
  for (const jar of fetched) {
    if ((await fetchSha256(join(folder, jar))) !== versions.kafka.jars[jar] && !odd.includes(jar)) odd.push(jar);
  }
  if (odd.length === 0) return;
  throw new StackError({
    what: 'Maven’s jars are not the pinned ones',
    where: odd.join(', '),
    next: 'remove these from the local Maven repository (~/.m2) and try again; if it stays so, do not use them',
  });
}

function formatProperties(logs: string, ports: Ports): string {
  const broker = `127.0.0.1:${must(ports, 'broker')}`;
  const controller = `127.0.0.1:${must(ports, 'controller')}`;
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${broker},CONTROLLER://${controller}`,
    'advertised.listeners': `PLAINTEXT://${broker}`,
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': logs,
    'auto.create.topics.enable': 'false',
    // A broker killed outright may register again only when its former session has ended; the default is 9 s.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'offsets.topic.num.partitions': '4',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'log.retention.ms': '-1',
    'log.message.timestamp.after.max.ms': '9223372036854775807',
    'log.cleaner.threads': '1',
    'log.cleaner.dedupe.buffer.size': '16777216',
    'num.network.threads': '2',
    'num.io.threads': '4',
  };
  return `${Object.entries(properties)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`;
}
