// One invoice taken apart: what we rated tier by tier, what was charged for it line by line, and what differs. Reads what a
// run stored, so it answers years later and asks nobody.

import { sql } from 'kysely';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import { sumLines } from '../../domain/rating.ts';
import type { BilledInvoice } from '../billing/port.ts';
import type { Break } from '../compare/break.ts';
import { fromSidesRecord } from '../compare/sides-record.ts';
import { fetchBreaks } from '../store/breaks.ts';
import type { ReconcileDb } from '../store/db.ts';
import { fetchEvidence } from '../store/evidence.ts';
import { fetchRun, fetchRunAccount } from '../store/runs.ts';
import { fetchRatedLines, type StoredPartLine } from '../store/rated.ts';

export type ExplainedInvoice = {
  readonly run: string;
  readonly period: string;
  readonly account: string;
  readonly currency: Currency;
  readonly invoice: string;
  readonly number: string | null;
  readonly status: string;
  /** The invoice as the biller had it when it was compared, with its credit notes; null when it was not. */
  readonly billed: BilledInvoice | null;
  readonly usageMinor: bigint | null;
  readonly feeMinor: bigint | null;
  readonly meters: readonly {
    readonly meter: MeterName;
    /** Several where it changed inside the period. */
    readonly priceId: string;
    readonly quantity: bigint;
    readonly amountMinor: bigint;
    readonly tiers: readonly StoredPartLine[];
  }[];
  readonly breaks: readonly Break[];
};

/** By Stripe's id or by its number, in the latest run that has it. Throws `rejected` STRIPE_NOT_FOUND. */
export async function explainInvoice(db: ReconcileDb, idOrNumber: string): Promise<ExplainedInvoice> {
  const ref = await findInvoice(db, idOrNumber);
  const [run, row, lines, breaks] = await Promise.all([
    fetchRun(db, ref.run),
    fetchRunAccount(db, ref),
    fetchRatedLines(db, ref.run, [ref.account]),
    fetchBreaks(db, ref.run),
  ]);
  const billed = await fetchBilledInvoice(db, row.evidence, ref.invoice);
  return {
    run: ref.run,
    period: run.period,
    account: ref.account,
    currency: row.currency,
    invoice: ref.invoice,
    number: billed?.number ?? null,
    status: billed?.status ?? 'draft',
    billed,
    usageMinor: row.rated?.usageMinor ?? null,
    feeMinor: row.rated?.feeMinor ?? null,
    meters: METERS.flatMap((meter) => {
      const tiers = lines.filter((line) => line.meter === meter);
      if (tiers.length === 0) return [];
      const priceId = [...new Set(tiers.map((line) => line.priceId))].join(' ');
      const quantity = tiers.reduce((sum, line) => sum + line.quantity, 0n);
      return [{ meter, priceId, quantity, amountMinor: sumLines(tiers), tiers }];
    }),
    breaks: breaks.filter((found) => found.account === ref.account),
  };
}

async function findInvoice(
  db: ReconcileDb,
  idOrNumber: string,
): Promise<{ run: string; account: string; invoice: string }> {
  const row = await db
    .selectFrom('run_accounts')
    .innerJoin('reconcile_runs', 'reconcile_runs.run', 'run_accounts.run')
    .select(['run_accounts.run', 'run_accounts.account', 'run_accounts.invoices'])
    .where((where) =>
      where.or([
        where('invoice_number', '=', idOrNumber),
        sql<boolean>`invoices @> ${JSON.stringify([{ id: idOrNumber }])}::jsonb`,
      ]),
    )
    .orderBy('reconcile_runs.opened_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) {
    throw new TrueupError({
      kind: 'rejected',
      code: 'STRIPE_NOT_FOUND',
      message: `no run has an invoice ${idOrNumber}`,
      field: 'invoice',
      next: "give Stripe's id (in_…) or the number on the invoice, of a period that was closed",
    });
  }
  const invoice = row.invoices.find(({ id }) => id === idOrNumber) ?? row.invoices[0];
  return { run: row.run, account: row.account, invoice: invoice?.id ?? idOrNumber };
}

/** Out of the sides that were compared. */
async function fetchBilledInvoice(
  db: ReconcileDb,
  hashes: readonly string[],
  invoice: string,
): Promise<BilledInvoice | null> {
  const evidence = await fetchEvidence(db, hashes);
  const sides = [...evidence.values()].find(({ kind }) => kind === 'account-sides');
  if (sides === undefined) return null;
  return fromSidesRecord(sides.content).biller.billing.invoices.find(({ id }) => id === invoice) ?? null;
}
