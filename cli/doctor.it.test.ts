// The doctor on real servers: a healthy installation first, then one broken thing at a time.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { advanceClock, type BusinessClockTables } from '../platform/clock.ts';
import { createKafka } from '../platform/kafka.ts';
import { createLog } from '../platform/log.ts';
import { createPostgres } from '../platform/postgres.ts';
import { createFreshDatabases, type FreshDatabases } from '../platform/testing/fresh-databases.ts';
import type { Area, Finding } from './doctor/finding.ts';
import { runTrueup } from './testing/run-trueup.ts';

const PASSWORD = `pw-${randomBytes(6).toString('hex')}`;
const ROLE = `doctor_${randomBytes(4).toString('hex')}`;
const WEEK_MS = 604_800_000;
const SIMULATED = {
  'retention.ms': '-1',
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.after.max.ms': '9223372036854775807',
};

let databases: FreshDatabases;
let owner: pg.Client;
let variables: Record<string, string | undefined>;

beforeAll(async () => {
  databases = await createFreshDatabases('doctor');
  owner = new pg.Client({ connectionString: databases.postgresUrl });
  await owner.connect();
  await owner.query(`
    CREATE ROLE ${ROLE} LOGIN PASSWORD '${PASSWORD}';
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${ROLE};
    GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO ${ROLE};
    REVOKE UPDATE, DELETE ON audit_log FROM ${ROLE}`);
  const url = new URL(databases.postgresUrl);
  [url.username, url.password] = [ROLE, PASSWORD];
  variables = {
    ...process.env,
    TRUEUP_POSTGRES_URL: url.href,
    TRUEUP_CLICKHOUSE_DATABASE: databases.name,
    TRUEUP_TOPIC: `${databases.name}-usage`,
    TRUEUP_MANIFEST_TOPIC: `${databases.name}-manifests`,
    TRUEUP_CLOCK: 'simulated',
    TRUEUP_MIGRATE: 'no',
    TRUEUP_CASE_KEYS: `k1:${randomBytes(16).toString('hex')}`,
    TRUEUP_WEBHOOK_PORT: '4242',
    TRUEUP_STRIPE_WEBHOOK_SECRETS: `whsec_${randomBytes(16).toString('hex')}`,
  };
  await createTopics({ [`${databases.name}-usage`]: SIMULATED, [`${databases.name}-manifests`]: SIMULATED });
  const db = createPostgres<BusinessClockTables>(databases.postgresUrl, 1);
  await advanceClock(db, Date.UTC(2026, 9, 15));
  await db.destroy();
});

afterAll(async () => {
  await owner.query(`DROP OWNED BY ${ROLE}; DROP ROLE ${ROLE}`);
  await owner.end();
  await databases.close();
});

async function createTopics(topics: Readonly<Record<string, Record<string, string>>>): Promise<void> {
  const brokers = process.env['TRUEUP_KAFKA_BROKERS'] ?? '';
  const kafka = createKafka({ brokers, clientId: 'doctor-test', log: createLog('test', 'silent') });
  for (const [topic, config] of Object.entries(topics)) await kafka.createTopic(topic, { partitions: 2, config });
  await kafka.close();
}

type Said = { readonly code: number; readonly text: string; readonly findings: readonly Finding[] };

async function doctor(changes: Readonly<Record<string, string>> = {}): Promise<Said> {
  const { code, out, err } = await runTrueup('doctor --json', { ...variables, ...changes });
  return { code, text: out + err, findings: readFindings(out) };
}

function readFindings(out: string): Finding[] {
  const { areas } = JSON.parse(out) as { areas: readonly Area[] };
  return areas.flatMap(({ findings }) => findings);
}

/** As an operator runs it: the whole program, to its end. */
async function runProcess(args: readonly string[], changes: Readonly<Record<string, string>> = {}) {
  const main = join(import.meta.dirname, 'main.ts');
  const env = { ...variables, ...changes };
  return new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const child = execFile(process.execPath, [main, 'doctor', ...args], { env, timeout: 40_000 }, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

/** Takes connections and never says a word. */
async function startSilentServer(): Promise<{ address: string; close: () => void }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    sockets.push(socket.resume());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** Breaks something, asks, and mends it. */
async function doctorWhile(broken: string, mended: string): Promise<Said> {
  await owner.query(broken);
  try {
    return await doctor();
  } finally {
    await owner.query(mended);
  }
}

const of = ({ findings }: Said, verdict: Finding['verdict']) => findings.filter((one) => one.verdict === verdict);

describe('a healthy installation', () => {
  test('has no problem, and says what it could not look at and what only a demo may have', async () => {
    const said = await doctor();
    expect(of(said, 'problem')).toEqual([]);
    expect(said.code).toBe(0);
    expect(of(said, 'unknown').map(({ says }) => says)).toEqual([
      'not checked: the embedded engine has no users, so it says nothing about those of a server',
    ]);
    const topics = [variables['TRUEUP_TOPIC'], variables['TRUEUP_MANIFEST_TOPIC']];
    // Meters are made by whoever bills first, here the tests beside this one.
    const warnings = of(said, 'warning').map(({ check }) => check);
    expect(warnings.filter((check) => check !== 'meters')).toEqual([
      'running',
      ...topics.map((topic) => `${topic} replication`),
      `group trueup-sink-${topics[0]}`,
      `group trueup-manifests-${topics[1]}`,
    ]);
    expect(of(said, 'ok').length).toBeGreaterThan(40);
  });

  test('is told line by line for people, with the next step under what is not ok', async () => {
    const { code, out, err } = await runProcess([]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^schema\n {2}ok {7}migrations +all \d+ files are applied, none has changed$/m);
    expect(out).toMatch(/^ {2}warning {2}running .*\n +next: start them/m);
    expect(out).toMatch(/^problems: 0, warnings: [56], not checked: 1, ok: \d+$/m);
  });

  test('shows none of its secrets', async () => {
    const { text } = await doctor();
    const secrets = [PASSWORD, variables['TRUEUP_STRIPE_KEY'], variables['TRUEUP_STRIPE_WEBHOOK_SECRETS']];
    for (const secret of [...secrets, variables['TRUEUP_CASE_KEYS']?.slice(3)]) expect(text).not.toContain(secret);
  });
});

describe('what is broken is found', () => {
  test('a topic that lets go of its records, compacts, or takes less than the door sends', async () => {
    const topic = `${databases.name}-short`;
    const wrong = { 'retention.ms': `${WEEK_MS}`, 'cleanup.policy': 'compact', 'max.message.bytes': '100000' };
    await createTopics({ [topic]: { ...SIMULATED, ...wrong, 'message.timestamp.type': 'LogAppendTime' } });
    const said = await doctor({ TRUEUP_TOPIC: topic });
    expect(said.code).toBe(1);
    expect(of(said, 'problem').map(({ check, says, next }) => `${check}: ${says}: ${next}`)).toEqual([
      `${topic} cleanup.policy: compact removes records of the same key, and an event's key is its identity: set cleanup.policy=delete`,
      `${topic} retention.ms: records go after 7 days; a month may need them for 188: set retention.ms=-1`,
      `${topic} max.message.bytes: 100000: batches of 524349 bytes are refused: leave it at its default, 1048588`,
      `${topic} message.timestamp.type: LogAppendTime replaces simulated arrivals by today's time: set message.timestamp.type=CreateTime`,
    ]);
  });

  test('a topic that is not there', async () => {
    expect(of(await doctor({ TRUEUP_TOPIC: 'nowhere' }), 'problem')).toMatchObject([
      { check: 'nowhere exists', says: 'there is no such topic' },
    ]);
  });

  test('a migration that is pending, and one that changed after it was applied', async () => {
    const name = 'ingest/006_reject_replays.postgres.sql';
    const pending = await doctorWhile(
      `UPDATE schema_files SET name = 'x' WHERE name = '${name}'`,
      `UPDATE schema_files SET name = '${name}' WHERE name = 'x'`,
    );
    expect(pending.code).toBe(1);
    expect(of(pending, 'problem')).toMatchObject([{ check: 'migrations', next: 'run "trueup migrate"' }]);
    expect(of(pending, 'problem')[0]?.says).toContain(`are pending: ${name}`);
    const changed = await doctorWhile(
      `UPDATE schema_files SET hash = 'x' || hash WHERE name = '${name}'`,
      `UPDATE schema_files SET hash = substr(hash, 2) WHERE name = '${name}'`,
    );
    expect(of(changed, 'problem')).toMatchObject([{ says: `${name} changed after it was applied` }]);
  });

  test('a Redis that may evict', async () => {
    const redis = new Redis(process.env['TRUEUP_REDIS_URL'] ?? '');
    // Without a memory limit nothing is evicted, so neighbours don't notice.
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      expect(of(await doctor(), 'problem')).toMatchObject([
        { check: 'maxmemory-policy', says: 'allkeys-lru lets go of queued jobs when memory runs out' },
      ]);
    } finally {
      await redis.config('SET', 'maxmemory-policy', 'noeviction');
      redis.disconnect();
    }
  });

  test('a Postgres role that lacks a right, or may change the audit log', async () => {
    const lacking = await doctorWhile(
      `REVOKE INSERT, UPDATE ON ingest_blocks FROM ${ROLE}`,
      `GRANT INSERT, UPDATE ON ingest_blocks TO ${ROLE}`,
    );
    expect(of(lacking, 'problem')).toMatchObject([
      {
        check: 'rights for ingest',
        says: `${ROLE} lacks INSERT, UPDATE on ingest_blocks`,
        next: `as the tables' owner: GRANT INSERT, UPDATE ON ingest_blocks TO ${ROLE}`,
      },
    ]);
    const changing = await doctorWhile(
      `GRANT UPDATE ON audit_log TO ${ROLE}; ALTER TABLE audit_log DISABLE TRIGGER audit_log_is_append_only`,
      `REVOKE UPDATE ON audit_log FROM ${ROLE}; ALTER TABLE audit_log ENABLE TRIGGER audit_log_is_append_only`,
    );
    expect(of(changing, 'problem').map(({ says }) => says)).toEqual([
      'audit_log_is_append_only on audit_log does not fire: entries can be changed',
      `${ROLE} holds UPDATE on audit_log`,
    ]);
  });

  test('a superuser in the place of a role', async () => {
    const said = await doctor({ TRUEUP_POSTGRES_URL: databases.postgresUrl });
    expect(of(said, 'warning').map(({ check }) => check)).toContain('audit log');
  });

  test('servers that refuse or stay silent, each by name, with what was not checked because of it, in 25 seconds', async () => {
    const refuses = '127.0.0.1:1';
    const silent = await startSilentServer();
    const startMs = performance.now();
    const { code, out, err } = await runProcess(['--json'], {
      TRUEUP_KAFKA_BROKERS: refuses,
      TRUEUP_CLICKHOUSE_URL: `http://${refuses}`,
      TRUEUP_STRIPE_URL: `http://${refuses}`,
      TRUEUP_POSTGRES_URL: `postgres://app:${PASSWORD}@${silent.address}/trueup`,
      TRUEUP_REDIS_URL: `redis://:${PASSWORD}@${silent.address}`,
      TRUEUP_TEMPORAL_ADDRESS: silent.address,
    });
    silent.close();
    expect(performance.now() - startMs).toBeLessThan(25_000);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    const said = { code, text: out, findings: readFindings(out) };
    expect(of(said, 'problem').map(({ next }) => next)).toEqual(NAMES.map((name) => `start it, or correct ${name}`));
    const unchecked = of(said, 'unknown').map(({ check }) => check);
    expect(unchecked).toEqual(expect.arrayContaining(['migrations', 'rights', 'topics', 'key mode']));
    expect(said.text).not.toContain(PASSWORD);
  });

  test('variables that are missing or wrong, all at once, and the rest is looked at all the same', async () => {
    const said = await doctor({ TRUEUP_REDIS_URL: '', TRUEUP_STRIPE_KEY: 'nonsense', TRUEUP_CASE_KEYS: 'short' });
    expect(of(said, 'problem').map(({ says }) => says)).toEqual([
      'TRUEUP_REDIS_URL is not set',
      'TRUEUP_STRIPE_KEY must be a Stripe secret or restricted key',
      expect.stringContaining('TRUEUP_CASE_KEYS is not a list'),
    ]);
    expect(of(said, 'ok').map(({ check }) => check)).toContain('migrations');
  });
});

const NAMES = [
  'TRUEUP_POSTGRES_URL',
  'TRUEUP_CLICKHOUSE_URL',
  'TRUEUP_KAFKA_BROKERS',
  'TRUEUP_REDIS_URL',
  'TRUEUP_TEMPORAL_ADDRESS',
  'TRUEUP_STRIPE_URL',
];
