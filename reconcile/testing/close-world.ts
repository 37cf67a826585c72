// A small world in which a period can be closed: own databases, an own Temporal namespace, accounts of its own at the
// shared simulated Stripe, and workers in this process or in processes of their own.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection, Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { createAccounts, type Accounts } from '../../accounts/door.ts';
import type { MeterName } from '../../domain/meter.ts';
import { HOUR_MS, parsePeriod, type Period } from '../../domain/period.ts';
import type { Currency } from '../../domain/money.ts';
import type { ContractPrice, PlanId } from '../../domain/price-book.ts';
import { advanceClock, createClock, type BusinessClockTables } from '../../platform/clock.ts';
import { createLog } from '../../platform/log.ts';
import { createPostgres, type Postgres } from '../../platform/postgres.ts';
import { createFreshDatabases, type FreshDatabases } from '../../platform/testing/fresh-databases.ts';
import { eventually } from '../../stack/testing/eventually.ts';
import type { ClosedUsage, Deps } from '../activities/deps.ts';
import type { CloseStage } from '../activity-types.ts';
import type { Billing } from '../billing/port.ts';
import { provisionBilling } from '../billing/provision.ts';
import { createStripeBilling } from '../billing/stripe.ts';
import { awaitReport, fetchProgress, fetchReport, signalClock, startClose } from '../door.ts';
import type { Report } from '../report/types.ts';
import { createWorker } from '../worker.ts';
import { createMemoryUsage, type MemoryHour, type MemoryUsage } from './memory-usage.ts';
import { createSimulatedStripe, type SimulatedStripe } from './simulated-stripe.ts';
import type { WorkerProcessInput } from './worker-process.ts';

export type WorldAccount = {
  readonly name: string;
  readonly plan: PlanId;
  readonly contracts?: readonly ContractPrice[];
  /** Period total per meter, spread over `hours` hours from the start of the month. */
  readonly usage: Partial<Readonly<Record<MeterName, bigint>>>;
  readonly hours?: number;
  /** Further usage, spread in the same way from another instant on. */
  readonly later?: { readonly fromMs: number; readonly usage: WorldAccount['usage'] };
  readonly currency?: Currency;
  readonly agreement?: Omit<Parameters<Accounts['registerAgreement']>[0], 'account'>;
  /** It does not exist before; `join` registers it at that time. */
  readonly joinsAtMs?: number;
};

export type CloseWorld = {
  readonly period: Period;
  readonly client: Client;
  readonly db: Deps['db'];
  readonly postgresUrl: string;
  /** The variables that name this world's databases and namespace. */
  readonly variables: Readonly<Record<string, string>>;
  readonly accounts: Accounts;
  readonly stripe: SimulatedStripe;
  readonly usage: MemoryUsage;
  readonly billing: Billing;
  /** What Stripe calls the account's customer. */
  customer(name: string): Promise<string>;
  /** The account's name in this world: unique, because the simulator is shared. */
  id(name: string): string;
  /** A worker in this process; returns its graceful stop. */
  startWorker(): Promise<() => Promise<void>>;
  /** A worker in a process of its own; returns its kill -9. */
  spawnWorker(): () => Promise<void>;
  /** What the worker's activities work with. */
  readonly deps: Deps;
  /** Registers and provisions an account that joins at the present time. */
  join(name: string): Promise<void>;
  /** Says everything that is agreed to Stripe once more. */
  provision(): Promise<void>;
  /** Stripe's time, then business time. */
  advance(toMs: number): Promise<void>;
  /** Period end, grace, late collection, report. `onStage` runs as each stage is reached. */
  close(onStage?: (stage: CloseStage) => Promise<void>): Promise<Report>;
  end(): Promise<void>;
};

type Parts = {
  readonly period: Period;
  readonly client: Client;
  readonly clockDb: Postgres<BusinessClockTables>;
  readonly stripe: SimulatedStripe;
  readonly testClock: string;
  readonly deps: Deps;
};

// The SDK's own log would drown the tests' output; it takes one logger per process.
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run integration tests with npm run test:it`);
  return value;
}

/** Real usage in databases that somebody else opened and closes. */
export type GivenUsage = { readonly databases: FreshDatabases; readonly usage: ClosedUsage };

/** With usage in memory, as the accounts say it; or with real usage, which is then sent by who gave it. */
export async function createCloseWorld(people: readonly WorldAccount[], given?: GivenUsage): Promise<CloseWorld> {
  const period = parsePeriod('2026-10');
  const suffix = randomBytes(4).toString('hex');
  const id = (name: string) => `${name}-${suffix}`;
  const databases = given?.databases ?? (await createFreshDatabases('reconcile'));
  const { postgresUrl } = databases;
  const server = { stripeUrl: required('TRUEUP_STRIPE_URL'), stripeKey: required('TRUEUP_STRIPE_KEY') };
  const address = required('TRUEUP_TEMPORAL_ADDRESS');
  const namespace = `reconcile-${suffix}`;
  const connection = await Connection.connect({ address });
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1 day') });

  const hours = people.flatMap((person) => spread(id(person.name), person, period));
  const usage = createMemoryUsage(hours);
  const clockDb = createPostgres<BusinessClockTables>(postgresUrl);
  const deps: Deps = {
    db: createPostgres(postgresUrl),
    usage: given?.usage ?? usage,
    accounts: createAccounts(createPostgres(postgresUrl)),
    billing: createStripeBilling({ key: server.stripeKey, url: server.stripeUrl }),
    clock: createClock('simulated', clockDb),
    log: createLog('reconcile', process.env['TRUEUP_LOG_LEVEL'] ?? 'silent'),
    codeVersion: 'test',
  };
  const stripe = createSimulatedStripe(server.stripeUrl, server.stripeKey);
  const testClock = await stripe.createClock(period.startAtMs);
  const parts: Parts = { period, client: new Client({ connection, namespace }), clockDb, stripe, testClock, deps };
  await advanceClock(clockDb, period.startAtMs);
  await populate(
    people.filter(({ joinsAtMs }) => joinsAtMs === undefined),
    id,
    parts,
  );

  const ending: (() => Promise<void>)[] = [];
  return {
    period,
    client: parts.client,
    db: deps.db,
    postgresUrl,
    variables: {
      TRUEUP_POSTGRES_URL: postgresUrl,
      TRUEUP_CLICKHOUSE_DATABASE: databases.name,
      TRUEUP_TEMPORAL_NAMESPACE: namespace,
      TRUEUP_CLOCK: 'simulated',
    },
    accounts: deps.accounts,
    billing: deps.billing,
    customer: async (name) => {
      const asOf = { existingAtMs: period.endAtMs, termsAtMs: period.startAtMs };
      return (await deps.accounts.fetchAccount(id(name), asOf)).stripe.customer ?? '';
    },
    stripe,
    usage,
    id,
    startWorker: async () => {
      const stop = await startWorker({ address, namespace }, deps);
      ending.push(stop);
      return stop;
    },
    spawnWorker: () => {
      const plain = hours.map((hour) => ({ ...hour, quantity: hour.quantity.toString() }));
      const kill = spawnWorker({ ...server, postgresUrl, namespace, address, hours: plain });
      ending.push(kill);
      return kill;
    },
    deps,
    join: async (name) =>
      populate(
        people.filter((person) => person.name === name),
        id,
        parts,
      ),
    provision: async () => provision(parts),
    advance: async (toMs) => advance(parts, toMs),
    close: async (onStage) => close(parts, onStage),
    end: async () => {
      for (const stop of ending) await stop();
      await connection.close();
      await clockDb.destroy();
      await deps.db.destroy();
      if (given === undefined) await databases.close();
    },
  };
}

async function populate(people: readonly WorldAccount[], id: (name: string) => string, parts: Parts): Promise<void> {
  const { accounts, clock } = parts.deps;
  const atMs = await clock.now();
  for (const person of people) {
    await accounts.register({
      id: id(person.name),
      currency: person.currency ?? 'usd',
      createdAtMs: atMs,
      planId: person.plan,
      contracts: person.contracts ?? [],
      namespaces: [`main.${id(person.name)}`],
    });
    await accounts.registerAgreement({ account: id(person.name), ...person.agreement });
  }
  await provision(parts);
}

async function provision({ deps: { accounts, billing, clock }, testClock }: Parts): Promise<void> {
  await provisionBilling({ billing, accounts, atMs: await clock.now(), testClockOf: () => testClock });
}

async function startWorker(temporal: { address: string; namespace: string }, deps: Deps): Promise<() => Promise<void>> {
  const connection = await NativeConnection.connect({ address: temporal.address });
  // A namespace that was just registered is known to the server's frontend a moment later.
  const worker = await eventually(20_000, async () =>
    createWorker({ connection, namespace: temporal.namespace, deps }),
  );
  const running = worker.run();
  return async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
    await connection.close();
  };
}

function spawnWorker(input: WorkerProcessInput): () => Promise<void> {
  const file = join(mkdtempSync(join(tmpdir(), 'trueup-worker-')), 'input.json');
  writeFileSync(file, JSON.stringify(input));
  const program = join(import.meta.dirname, 'worker-process.ts');
  const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'ignore', 'inherit'] });
  return async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
}

async function advance({ stripe, testClock, clockDb }: Parts, toMs: number): Promise<void> {
  await stripe.advanceClock(testClock, toMs);
  await advanceClock(clockDb, toMs);
}

async function close(parts: Parts, onStage?: (stage: CloseStage) => Promise<void>): Promise<Report> {
  const { client, period } = parts;
  const untilStage = async (stage: CloseStage) =>
    eventually(90_000, async () => ((await fetchProgress(client, period.key)).stage === stage ? stage : undefined));

  await advance(parts, period.endAtMs);
  await startClose(client, period.key);
  await onStage?.('claiming');
  await untilStage('grace');
  await onStage?.('grace');
  await advance(parts, period.endAtMs + 48 * HOUR_MS);
  await signalClock(client, period.key);
  await onStage?.('billing');
  await untilStage('late');
  await onStage?.('late');
  await advance(parts, period.endAtMs + 72 * HOUR_MS);
  await signalClock(client, period.key);
  await awaitReport(client, period.key);
  const report = await fetchReport(parts.deps.db, period.key);
  if (report === undefined) throw new Error('the close ended without a report');
  return report;
}

function spread(account: string, person: WorldAccount, period: Period): MemoryHour[] {
  const { usage, later, hours = 24, joinsAtMs } = person;
  const parts = [{ fromMs: joinsAtMs ?? period.startAtMs, usage }, ...(later === undefined ? [] : [later])];
  return parts.flatMap((part) =>
    Object.entries(part.usage).flatMap(([meter, total]) =>
      Array.from({ length: hours }, (_, index): MemoryHour => {
        const share = total / BigInt(hours);
        const quantity = index === 0 ? total - share * BigInt(hours - 1) : share;
        return { account, meter: meter as MeterName, hourAtMs: part.fromMs + index * HOUR_MS, quantity };
      }).filter(({ quantity }) => quantity > 0n),
    ),
  );
}
