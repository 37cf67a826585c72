// Runs and what they know of each account. Every write names its row by business key and may be repeated.

import type { Selectable, Updateable } from 'kysely';
import { canonicalJson, sha256, type Canonical } from '../../domain/canonical.ts';
import { invariant } from '../../domain/contracts/errors.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import { parseCurrency, type Currency } from '../../domain/money.ts';
import type { CycleInvoice } from '../billing/port.ts';
import type { ReconcileDb } from './db.ts';
import type { AccountState, ReconcileTables } from './tables.ts';

export type RunAccount = {
  readonly account: string;
  readonly currency: Currency;
  readonly planId: string;
  readonly state: AccountState;
  readonly reasons: readonly string[];
  /** Null until rated. */
  readonly rated: { readonly usageMinor: bigint; readonly feeMinor: bigint } | null;
  /** The biller's totals as last read; a meter that was never read is absent. */
  readonly summaries: Readonly<Partial<Record<MeterName, bigint>>>;
  readonly invoices: readonly CycleInvoice[];
  readonly invoice: {
    readonly number: string | null;
    readonly status: string;
    readonly totalMinor: bigint;
    readonly linesMinor: bigint;
  } | null;
  /** What the comparison came to; null until then. */
  readonly compared: {
    /** The total as agreed, after discounts, credit and tax. */
    readonly expectedMinor: bigint;
    /** What discounts, credit and tax by themselves make of the breaks on lines. */
    readonly followingMinor: bigint;
    readonly dueMinor: bigint;
    readonly paidMinor: bigint;
    /** What need not have been paid yet. */
    readonly waitingMinor: bigint;
  } | null;
  readonly evidence: readonly string[];
};

export type Run = {
  readonly run: string;
  readonly period: string;
  readonly openedAtMs: number;
  readonly batches: number;
  readonly barrier: readonly string[] | null;
  readonly digest: string | null;
  readonly closedEvents: bigint | null;
  readonly lateBarrier: readonly string[] | null;
  readonly codeVersion: string;
  /** Null until its period was compared. */
  readonly pins: RunPins | null;
  /** Evidence of what is compared over the period as a whole. */
  readonly periodEvidence: readonly string[];
};

/** What else a run rests on, so that it can be computed again when these have changed. */
export type RunPins = {
  readonly priceBookHash: string;
  /** Over the rules that name differences. */
  readonly rulesHash: string;
};

export type NewRun = Pick<Run, 'run' | 'period' | 'openedAtMs' | 'batches' | 'codeVersion'> & {
  readonly members: readonly { account: string; batch: number; currency: Currency; planId: string }[];
  /** Of a run that is not the period's first. */
  readonly supersedes?: { readonly run: string; readonly revision: number; readonly why: string };
};

export type RunRef = { readonly run: string; readonly account: string };

/** Opens a run, or gives one that was asked for its members; one that has them keeps them and its batches. */
export async function insertRun(db: ReconcileDb, { members, supersedes, ...run }: NewRun): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const inserted = await tx
      .insertInto('reconcile_runs')
      .values({
        run: run.run,
        period: run.period,
        opened_at: new Date(run.openedAtMs),
        batches: run.batches,
        code_version: run.codeVersion,
        ...(supersedes === undefined
          ? {}
          : { revision: supersedes.revision + 1, supersedes: supersedes.run, why: supersedes.why }),
      })
      .onConflict((conflict) =>
        conflict.column('run').doUpdateSet({ batches: run.batches }).where('reconcile_runs.batches', '=', 0),
      )
      .returning('run')
      .executeTakeFirst();
    if (inserted === undefined || members.length === 0) return;
    const rows = members.map((member) => ({
      run: run.run,
      account: member.account,
      batch: member.batch,
      currency: member.currency,
      plan_id: member.planId,
      state: 'open' as const,
      reasons: '[]',
      summaries: '{}',
      invoices: '[]',
      evidence: '[]',
    }));
    const ROWS_PER_INSERT = 1000;
    for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
      await tx
        .insertInto('run_accounts')
        .values(rows.slice(from, from + ROWS_PER_INSERT))
        .execute();
    }
  });
}

export async function fetchRun(db: ReconcileDb, run: string): Promise<Run> {
  const row = await db.selectFrom('reconcile_runs').selectAll().where('run', '=', run).executeTakeFirst();
  invariant(row !== undefined, 'I6', `run ${run} was never opened`);
  return {
    run: row.run,
    period: row.period,
    openedAtMs: row.opened_at.getTime(),
    batches: row.batches,
    barrier: row.barrier,
    digest: row.digest,
    closedEvents: row.closed_events === null ? null : BigInt(row.closed_events),
    lateBarrier: row.late_barrier,
    codeVersion: row.code_version,
    pins: row.pins === null ? null : (JSON.parse(row.pins) as RunPins),
    periodEvidence: row.period_evidence,
  };
}

/** What the period as a whole was compared by; a repeat replaces it. */
export async function recordPeriodEvidence(
  db: ReconcileDb,
  run: string,
  { evidence, pins }: { readonly evidence: readonly string[]; readonly pins: RunPins },
): Promise<void> {
  const set = { period_evidence: JSON.stringify(evidence), pins: canonicalJson(pins) };
  await db.updateTable('reconcile_runs').set(set).where('run', '=', run).execute();
}

export async function recordBarrier(db: ReconcileDb, run: string, barrier: readonly bigint[]): Promise<void> {
  await db
    .updateTable('reconcile_runs')
    .set({ barrier: toJson(barrier) })
    .where('run', '=', run)
    .execute();
}

export async function recordClosed(
  db: ReconcileDb,
  run: string,
  closed: { digest: string; events: bigint },
): Promise<void> {
  const set = { digest: closed.digest, closed_events: closed.events.toString() };
  await db.updateTable('reconcile_runs').set(set).where('run', '=', run).execute();
}

/** The first late barrier stays: a repeat must not look further than the run it repeats. */
export async function recordLateBarrier(db: ReconcileDb, run: string, barrier: readonly bigint[]): Promise<void> {
  const set = { late_barrier: toJson(barrier) };
  await db.updateTable('reconcile_runs').set(set).where('run', '=', run).where('late_barrier', 'is', null).execute();
}

function toJson(barrier: readonly bigint[]): string {
  return JSON.stringify(barrier.map((offset) => offset.toString()));
}

/** The accounts of a batch that have not failed. */
export async function fetchBatch(db: ReconcileDb, run: string, batch: number): Promise<string[]> {
  const rows = await db
    .selectFrom('run_accounts')
    .select('account')
    .where('run', '=', run)
    .where('batch', '=', batch)
    .where('state', '!=', 'failed')
    .orderBy('account')
    .execute();
  return rows.map(({ account }) => account);
}

/** Of the named accounts of a run, or of all; ordered by account. */
export async function fetchRunAccounts(
  db: ReconcileDb,
  run: string,
  accounts?: readonly string[],
): Promise<RunAccount[]> {
  let query = db.selectFrom('run_accounts').selectAll().where('run', '=', run).orderBy('account');
  if (accounts !== undefined) query = query.where('account', 'in', [...accounts]);
  return (await query.execute()).map(fromRow);
}

export async function fetchRunAccount(db: ReconcileDb, { run, account }: RunRef): Promise<RunAccount> {
  const row = (await fetchRunAccounts(db, run, [account]))[0];
  invariant(row !== undefined, 'I6', `account ${account} is not part of run ${run}`);
  return row;
}

function fromRow(row: Stored): RunAccount {
  const summaries = METERS.flatMap((meter) => {
    const value = row.summaries[meter];
    return value === undefined ? [] : [[meter, BigInt(value)] as const];
  });
  return {
    account: row.account,
    currency: parseCurrency(row.currency),
    planId: row.plan_id,
    state: row.state,
    reasons: row.reasons,
    rated:
      row.usage_minor === null || row.fee_minor === null
        ? null
        : { usageMinor: BigInt(row.usage_minor), feeMinor: BigInt(row.fee_minor) },
    summaries: Object.fromEntries(summaries),
    invoices: row.invoices,
    invoice:
      row.invoiced_minor === null || row.line_minor === null
        ? null
        : {
            number: row.invoice_number,
            status: row.invoice_status ?? 'unknown',
            totalMinor: BigInt(row.invoiced_minor),
            linesMinor: BigInt(row.line_minor),
          },
    compared:
      row.expected_minor === null
        ? null
        : {
            expectedMinor: BigInt(row.expected_minor),
            followingMinor: BigInt(row.following_minor ?? '0'),
            dueMinor: BigInt(row.due_minor ?? '0'),
            paidMinor: BigInt(row.paid_minor ?? '0'),
            waitingMinor: BigInt(row.waiting_minor ?? '0'),
          },
    evidence: row.evidence,
  };
}

type Stored = Selectable<ReconcileTables['run_accounts']>;
type Patch = Updateable<ReconcileTables['run_accounts']>;

export async function updateRunAccount(db: ReconcileDb, { run, account }: RunRef, patch: Patch): Promise<void> {
  await db.updateTable('run_accounts').set(patch).where('run', '=', run).where('account', '=', account).execute();
}

/** Stores evidence under the hash of its canonical form and returns the hash. The same content is stored once. */
export async function insertEvidence(db: ReconcileDb, kind: string, content: Canonical): Promise<string> {
  const [hash] = await insertEvidences(db, [{ kind, content }]);
  invariant(hash !== undefined, 'I9', `evidence ${kind} has no hash`);
  return hash;
}

/** The hashes in the order of the items. */
export async function insertEvidences(
  db: ReconcileDb,
  items: readonly { readonly kind: string; readonly content: Canonical }[],
): Promise<string[]> {
  const rows = items.map(({ kind, content }) => {
    const body = canonicalJson(content);
    return { hash: sha256(body), kind, body };
  });
  await db
    .insertInto('evidence')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return rows.map(({ hash }) => hash);
}
