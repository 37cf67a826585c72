// A small world in which a period can be closed: own databases, an own Temporal namespace, accounts of its own at the
// shared simulated Stripe, and a worker in this process.

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
import type { AccountTables } from '../../accounts/tables.ts';
import type { ContractPrice, PlanId } from '../../domain/price-book.ts';
import { HOUR_MS, parsePeriod, type Period } from '../../domain/period.ts';
import type { MeterName } from '../../domain/meter.ts';
import { advanceClock, createClock, type BusinessClockTables } from '../../platform/clock.ts';
import { createLog } from '../../platform/log.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { createFreshDatabases } from '../../platform/testing/fresh-databases.ts';
import { eventually } from '../../stack/testing/eventually.ts';
import type { Billing } from '../billing/port.ts';
import { provisionBilling } from '../billing/provision.ts';
import { createStripeBilling } from '../billing/stripe.ts';
import type { CloseStage } from '../activity-types.ts';
import { awaitReport, fetchProgress, fetchReport, signalClock, startClose } from '../door.ts';
import type { Report } from '../report/types.ts';
import type { ReconcileDb } from '../store/db.ts';
import type { ReconcileTables } from '../store/tables.ts';
import { createWorker } from '../worker.ts';
import { createMemoryUsage, type MemoryHour, type MemoryUsage } from './memory-usage.ts';
import type { WorkerProcessInput } from './worker-process.ts';
import { createSimulatedStripe, type SimulatedStripe } from './simulated-stripe.ts';

export type WorldAccount = {
  readonly name: string;
  readonly plan: PlanId;
  readonly contracts?: readonly ContractPrice[];
  /** Period total per meter, spread over `hours` hours from the start of the month. */
  readonly usage: Partial<Readonly<Record<MeterName, bigint>>>;
  readonly hours?: number;
};

export type CloseWorld = {
  readonly period: Period;
  readonly client: Client;
  readonly db: ReconcileDb;
  readonly accounts: Accounts;
  readonly billing: Billing;
  readonly stripe: SimulatedStripe;
  readonly usage: MemoryUsage;
  readonly testClock: string;
  /** The account's name in this world: unique, because the simulator is shared. */
  id(name: string): string;
  /** Business time and Stripe's time, then the signal. */
  advance(toMs: number): Promise<void>;
  startWorker(): Promise<() => Promise<void>>;
  /** A worker in a process of its own; returns its kill -9. */
  spawnWorker(): () => Promise<void>;
  untilStage(stage: CloseStage): Promise<void>;
  /** Period end, grace, late collection, report. `onStage` runs as each stage is reached. */
  close(onStage?: (stage: CloseStage) => Promise<void>): Promise<Report>;
  end(): Promise<void>;
};

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run integration tests with npm run test:it`);
  return value;
}

// The SDK's own log would drown the tests' output; it takes one logger per process.
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });

export async function createCloseWorld(
  people: readonly WorldAccount[],
  wrap: (billing: Billing) => Billing = (billing) => billing,
): Promise<CloseWorld> {
  const period = parsePeriod('2026-10');
  const suffix = randomBytes(4).toString('hex');
  const id = (name: string) => `${name}-${suffix}`;
  const databases = await createFreshDatabases('reconcile');
  const db = createPostgres<AccountTables & BusinessClockTables & ReconcileTables>(databases.postgresUrl);
  const stripeUrl = required('TRUEUP_STRIPE_URL');
  const stripe = createSimulatedStripe(stripeUrl, required('TRUEUP_STRIPE_KEY'));
  const billing = wrap(createStripeBilling({ key: required('TRUEUP_STRIPE_KEY'), url: stripeUrl }));
  const accounts = createAccounts(db.withTables<AccountTables>());
  const hours = people.flatMap((person) => spread(id(person.name), person, period));
  const usage = createMemoryUsage(hours);

  await advanceClock(db.withTables<BusinessClockTables>(), period.startAtMs);
  const testClock = await stripe.createClock(period.startAtMs);
  for (const person of people) {
    await accounts.register({
      id: id(person.name),
      currency: 'usd',
      createdAtMs: period.startAtMs,
      planId: person.plan,
      contracts: person.contracts ?? [],
      namespaces: [`main.${id(person.name)}`],
    });
  }
  await provisionBilling({ billing, accounts, atMs: period.startAtMs, testClockOf: () => testClock });

  const address = required('TRUEUP_TEMPORAL_ADDRESS');
  const connection = await Connection.connect({ address });
  const namespace = `reconcile-${suffix}`;
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1 day') });
  const client = new Client({ connection, namespace });
  const log = createLog('reconcile', process.env['TRUEUP_LOG_LEVEL'] ?? 'silent');
  const clock = createClock('simulated', db.withTables<BusinessClockTables>());
  const reconcileDb = db.withTables<ReconcileTables>();
  const deps = { db: reconcileDb, usage, accounts, billing, clock, log, codeVersion: 'test' };
  const { key } = period;
  const ending: (() => Promise<void>)[] = [];

  const world: CloseWorld = {
    period,
    client,
    db: reconcileDb,
    accounts,
    billing,
    stripe,
    usage,
    testClock,
    id,
    advance: async (toMs) => {
      await stripe.advanceClock(testClock, toMs);
      await advanceClock(db.withTables<BusinessClockTables>(), toMs);
      await signalClock(client, key).catch(() => undefined);
    },
    startWorker: async () => {
      const native = await NativeConnection.connect({ address });
      const worker = await eventually(20_000, async () => createWorker({ connection: native, namespace, deps }));
      const running = worker.run();
      const stop = async () => {
        if (worker.getState() === 'RUNNING') worker.shutdown();
        await running;
        await native.close();
      };
      ending.push(stop);
      return stop;
    },
    spawnWorker: () => {
      const input: WorkerProcessInput = {
        postgresUrl: databases.postgresUrl,
        namespace,
        address,
        stripeUrl,
        stripeKey: required('TRUEUP_STRIPE_KEY'),
        hours: hours.map((hour) => ({ ...hour, quantity: hour.quantity.toString() })),
      };
      const file = join(mkdtempSync(join(tmpdir(), 'trueup-worker-')), 'input.json');
      writeFileSync(file, JSON.stringify(input));
      const program = join(import.meta.dirname, 'worker-process.ts');
      const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'ignore', 'inherit'] });
      const kill = async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      };
      ending.push(kill);
      return kill;
    },
    untilStage: async (stage) => {
      await eventually(90_000, async () => ((await fetchProgress(client, key)).stage === stage ? true : undefined));
    },
    close: async (onStage = async () => Promise.resolve()) => {
      await world.advance(period.endAtMs);
      await startClose(client, key);
      await onStage('claiming');
      await world.untilStage('grace');
      await onStage('grace');
      await world.advance(period.endAtMs + 48 * HOUR_MS);
      await onStage('billing');
      await world.untilStage('late');
      await onStage('late');
      await world.advance(period.endAtMs + 72 * HOUR_MS);
      await awaitReport(client, key);
      const report = await fetchReport(reconcileDb, key);
      if (report === undefined) throw new Error('the close ended without a report');
      return report;
    },
    end: async () => {
      for (const stop of ending) await stop().catch(() => undefined);
      await connection.close();
      await db.destroy();
      await databases.close();
    },
  };
  return world;
}

function spread(account: string, person: WorldAccount, period: Period): MemoryHour[] {
  const hours = person.hours ?? 24;
  return Object.entries(person.usage).flatMap(([meter, total]) =>
    Array.from({ length: hours }, (_, index): MemoryHour => {
      const share = total / BigInt(hours);
      const quantity = index === 0 ? total - share * BigInt(hours - 1) : share;
      return { account, meter: meter as MeterName, hourAtMs: period.startAtMs + index * HOUR_MS, quantity };
    }).filter(({ quantity }) => quantity > 0n),
  );
}
