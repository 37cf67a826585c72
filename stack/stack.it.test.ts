import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { readState, type StackState } from './state.ts';
import { startStack, type Stack, type StackOptions } from './stack.ts';
import { eventually, processLives } from './testing/eventually.ts';

const stacks: Stack[] = [];
const owners: ChildProcess[] = [];

afterEach(async () => {
  for (const owner of owners.splice(0)) owner.kill('SIGKILL');
  await Promise.all(stacks.splice(0).map(async (stack) => stack.stop()));
});

async function start(name: string, servers: StackOptions['servers']): Promise<Stack> {
  const stack = await startStack({ name: `${name}-${process.pid}`, servers, ignoreGiven: true, log: () => undefined });
  stacks.push(stack);
  return stack;
}

function pidsOf(state: StackState): number[] {
  return Object.values(state.servers).flatMap((server) => server.pid ?? []);
}

async function kill(stack: Stack, server: 'kafka' | 'postgres' | 'redis' | 'temporal'): Promise<number> {
  const pid = stack.pid(server);
  if (pid === undefined) throw new Error(`${server} has no process`);
  process.kill(pid, 'SIGKILL');
  await eventually(10_000, () => (processLives(pid) ? undefined : true));
  await stack.untilReady(server);
  return pid;
}

/** A program that owns a stack, as a demo does. */
async function startOwner(name: string): Promise<{ owner: ChildProcess; state: StackState }> {
  const owner = spawn(process.execPath, [join(import.meta.dirname, 'testing', 'owner.ts'), name, 'redis', 'postgres'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  owners.push(owner);
  const folder = await new Promise<string>((resolve) => {
    if (owner.stdout !== null) createInterface({ input: owner.stdout }).once('line', resolve);
  });
  const state = readState(folder);
  if (state === undefined) throw new Error('the owner’s stack left no state');
  return { owner, state };
}

test('servers die with their supervisor, even when it is killed outright', async () => {
  const { state } = await startOwner(`orphan-${process.pid}`);
  const pids = pidsOf(state);
  expect(pids).toHaveLength(2);
  process.kill(state.supervisorPid, 'SIGKILL');
  await eventually(10_000, () => (pids.some(processLives) ? undefined : true));
});

test('a stack stops by itself and leaves no data when its owner is killed outright', async () => {
  const { owner, state } = await startOwner(`owned-${process.pid}`);
  owner.kill('SIGKILL');
  const everyone = [state.supervisorPid, ...pidsOf(state)];
  await eventually(20_000, () => (everyone.some(processLives) ? undefined : true));
  expect(Object.values(state.servers).filter((server) => existsSync(server.dataDir))).toEqual([]);
});

test('a killed Redis comes back on its port with every acknowledged write', async () => {
  const stack = await start('redis', ['redis']);
  const url = stack.env['TRUEUP_REDIS_URL'] ?? '';
  const before = new Redis(url);
  await before.set('kept', 'yes');
  before.disconnect();
  const pid = await kill(stack, 'redis');
  expect(stack.pid('redis')).not.toBe(pid);
  const after = new Redis(url);
  expect(await after.get('kept')).toBe('yes');
  after.disconnect();
});

test('a killed Postgres comes back on its port with every committed row', async () => {
  const stack = await start('postgres', ['postgres']);
  const connectionString = stack.env['TRUEUP_POSTGRES_URL'] ?? '';
  const before = new pg.Client({ connectionString });
  before.on('error', () => undefined); // the server is about to go
  await before.connect();
  await before.query('CREATE TABLE kept (word text)');
  await before.query(`INSERT INTO kept VALUES ('yes')`);
  await kill(stack, 'postgres');
  const after = new pg.Client({ connectionString });
  await after.connect();
  expect((await after.query('SELECT word FROM kept')).rows).toEqual([{ word: 'yes' }]);
  await after.end();
});

test('a killed Kafka comes back on its port with its cluster id and every acknowledged record', async () => {
  const stack = await start('kafka', ['kafka']);
  const brokers = (stack.env['TRUEUP_KAFKA_BROKERS'] ?? '').split(',');
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 20 } }).admin();
  await admin.connect();
  const { clusterId } = await admin.describeCluster();
  await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 2 }], waitForLeaders: true });
  const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer({ idempotent: true });
  await producer.connect();
  await producer.send({ topic: 'kept', messages: [{ key: 'k', value: 'yes', partition: 1 }], acks: -1 });
  await kill(stack, 'kafka');
  expect((await admin.describeCluster()).clusterId).toBe(clusterId);
  expect(await admin.fetchTopicOffsets('kept')).toContainEqual({ partition: 1, offset: '1', high: '1', low: '0' });
  // The cluster takes new records under the same producer id.
  await producer.send({ topic: 'kept', messages: [{ key: 'k', value: 'again', partition: 1 }], acks: -1 });
  await producer.disconnect();
  await admin.disconnect();
});

test('two stacks run side by side on different ports and data', async () => {
  const [one, two] = await Promise.all([start('left', ['redis', 'temporal']), start('right', ['redis', 'temporal'])]);
  const ports = [one, two].flatMap((stack) =>
    Object.values(stack.state().servers).flatMap((server) => Object.values(server.ports)),
  );
  expect(new Set(ports).size).toBe(ports.length);
  const left = new Redis(one.env['TRUEUP_REDIS_URL'] ?? '');
  const right = new Redis(two.env['TRUEUP_REDIS_URL'] ?? '');
  await left.set('side', 'left');
  expect(await right.get('side')).toBeNull();
  left.disconnect();
  right.disconnect();
});

test('a second stack of a living stack’s name is refused with the way to stop the first', async () => {
  const stack = await start('single', ['redis']);
  await expect(startStack({ name: stack.name, servers: ['redis'], log: () => undefined })).rejects.toMatchObject({
    next: expect.stringContaining(`down ${stack.name}`),
  });
});
