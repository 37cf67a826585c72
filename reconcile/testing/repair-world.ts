// One account whose October was billed at the shared simulated Stripe, with a break of it and the people who repair it.

import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { BreakCode } from '../../domain/contracts/break-codes.ts';
import type { Actor } from '../../domain/contracts/permissions.ts';
import { METERS } from '../../domain/meter.ts';
import { HOUR_MS, parsePeriod, type Period } from '../../domain/period.ts';
import { PLANS } from '../../domain/price-book.ts';
import { advanceClock, createClock, type BusinessClockTables } from '../../platform/clock.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { createFreshDatabases } from '../../platform/testing/fresh-databases.ts';
import type { Billing, SubscriptionRef } from '../billing/port.ts';
import { createStripeBilling } from '../billing/stripe.ts';
import { carryCasesForward } from '../cases/carry-forward.ts';
import { toCaseId } from '../cases/key.ts';
import { toBreak } from '../compare/break.ts';
import type { RepairDeps } from '../repairs/apply.ts';
import { planRepair, type Correction, type RepairChoice, type RepairPlan } from '../repairs/plan.ts';
import type { ReissuedItem } from '../repairs/steps.ts';
import { replaceAccountBreaks } from '../store/breaks.ts';
import type { ReconcileDb } from '../store/db.ts';
import { insertRun } from '../store/runs.ts';
import { createSimulatedStripe, type SimulatedStripe } from './simulated-stripe.ts';

export type RepairWorld = {
  readonly db: ReconcileDb;
  readonly stripe: SimulatedStripe;
  readonly billing: Billing;
  readonly deps: RepairDeps;
  readonly period: Period;
  readonly ref: SubscriptionRef;
  readonly ownHours: ReadonlyMap<number, bigint>;
  /** The cycle invoice of October. */
  readonly invoice: string;
  /** The variables that name this world's databases. */
  readonly databases: Readonly<Record<string, string>>;
  readonly pat: Actor;
  readonly rae: Actor;
  finalize(): Promise<void>;
  advance(toMs: number): Promise<void>;
  plan(found: Found, choice: RepairChoice, expected?: readonly ReissuedItem[]): Promise<RepairPlan>;
  end(): Promise<void>;
};

type Found = { readonly code: BreakCode; readonly amountMinor: bigint };

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run integration tests with npm run test:it`);
  return value;
}

/** Each of two hours has ten million actions (500.00 usd); only the first `hoursSent` of them reach Stripe. */
export async function createRepairWorld(hoursSent = 2): Promise<RepairWorld> {
  const period = parsePeriod('2026-10');
  const account = `repair-${randomBytes(4).toString('hex')}`;
  const databases = await createFreshDatabases('repairs');
  const db: ReconcileDb = createPostgres(databases.postgresUrl);
  const clockDb = createPostgres<BusinessClockTables>(databases.postgresUrl);
  const [url, key] = [required('TRUEUP_STRIPE_URL'), required('TRUEUP_STRIPE_KEY')];
  const stripe = createSimulatedStripe(url, key);
  const billing = createStripeBilling({ key, url });
  const testClock = await stripe.createClock(period.startAtMs);
  const advance = async (toMs: number) => {
    await stripe.advanceClock(testClock, toMs);
    await advanceClock(clockDb, toMs);
  };
  await advanceClock(clockDb, period.startAtMs);
  const ref = await subscribe(billing, account, testClock);
  const ownHours = new Map([0, 1].map((hour) => [period.startAtMs + hour * HOUR_MS, 100_000_000n]));
  const hours = [...ownHours].map(([hourAtMs, quantity]) => ({ meter: 'actions' as const, hourAtMs, quantity }));
  await advance(period.endAtMs);
  await billing.pushHours(ref, hours.slice(0, hoursSent), period.endAtMs);
  const [cycle] = await billing.claimCycleInvoices(ref, period);
  if (cycle === undefined) throw new Error('the cycle made no invoice');
  const pat: Actor = { id: 'pat', roles: ['preparer', 'operator'] };
  const rae: Actor = { id: 'rae', roles: ['reviewer', 'operator'] };
  for (const person of [pat, rae]) await addPerson(db, person);
  return {
    db,
    stripe,
    billing,
    period,
    ref,
    ownHours,
    pat,
    rae,
    advance,
    invoice: cycle.id,
    databases: { TRUEUP_POSTGRES_URL: databases.postgresUrl, TRUEUP_CLICKHOUSE_DATABASE: databases.name },
    deps: { db, billing, clock: createClock('simulated', clockDb), waitMs: 10_000 },
    finalize: async () => {
      await advance(period.endAtMs + 48 * HOUR_MS);
      await billing.finalize(cycle.id);
    },
    plan: async (found, choice, expected = []) => {
      const correction = await openCase(db, {
        ...found,
        account,
        period,
        hours: [...ownHours.keys()].slice(hoursSent),
      });
      const planned = planRepair({
        correction,
        choice,
        period,
        subscription: ref.subscription,
        billing: await billing.fetchAccountBilling(ref, period),
        ownHours,
        expected,
        otherBreaks: 0,
        nowMs: period.endAtMs,
      });
      if (!planned.ok) throw new Error(planned.why);
      return planned.plan;
    },
    end: async () => {
      for (const opened of [db, clockDb]) await opened.destroy();
      await databases.close();
    },
  };
}

export async function addPerson(db: ReconcileDb, { id, roles }: Actor): Promise<void> {
  await sql`INSERT INTO principals (id, kind, created_at) VALUES (${id}, 'person', now())`.execute(db);
  for (const role of roles) await sql`INSERT INTO principal_roles VALUES (${id}, ${role}, now())`.execute(db);
}

async function subscribe(billing: Billing, account: string, testClock: string): Promise<SubscriptionRef> {
  const { prices } = PLANS.developer;
  await billing.ensureMeters();
  await billing.ensureProducts();
  for (const meter of METERS) await billing.ensurePrice(prices[meter], 'usd');
  const customer = await billing.ensureCustomer(account, { testClock });
  const subscription = await billing.ensureSubscription(
    { account, customer },
    METERS.map((meter) => prices[meter]),
    'usd',
  );
  return { account, customer, subscription };
}

type NewCase = Found & { readonly account: string; readonly period: Period; readonly hours: readonly number[] };

/** A run that found the break, carried into a case. */
async function openCase(db: ReconcileDb, { account, period, hours, ...found }: NewCase): Promise<Correction> {
  const run = `close-${period.key}`;
  const member = { account, batch: 0, currency: 'usd' as const, planId: 'developer' };
  const opened = { run, period: period.key, openedAtMs: period.endAtMs, batches: 1, codeVersion: 'test' };
  await insertRun(db, { ...opened, members: [member] });
  const finding = { ...found, account, meter: 'actions' as const, currency: 'usd' as const, hours };
  const stored = toBreak({ ...finding, expected: '', actual: '' }, period.endAtMs, []);
  await replaceAccountBreaks(db, { run, account }, [stored]);
  await carryCasesForward(db, run, period.endAtMs);
  return { ...finding, caseId: toCaseId({ period: period.key, ...finding }) };
}
