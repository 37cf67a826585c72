// One invoice taken apart: what we rated tier by tier, what was charged for it line by line, and what differs. Reads what a
// run stored, so it answers years later and asks nobody.

import { sql } from 'kysely';
import { z } from 'zod';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import { sumLines } from '../../domain/rating.ts';
import type { Break } from '../compare/break.ts';
import { fetchBreaks } from '../store/breaks.ts';
import type { ReconcileDb } from '../store/db.ts';
import { fetchRatedLines, fetchRun, fetchRunAccount, type StoredLine } from '../store/runs.ts';

/** A line as Stripe had it when it was compared. */
export type ChargedLine = {
  readonly id: string;
  readonly amountMinor: bigint;
  readonly quantity: string | null;
  readonly unitAmount: string | null;
  readonly kind: string | null;
};

export type ExplainedInvoice = {
  readonly run: string;
  readonly period: string;
  readonly account: string;
  readonly currency: Currency;
  readonly invoice: string;
  readonly number: string | null;
  readonly status: string;
  /** Null for a draft. */
  readonly invoicedMinor: bigint | null;
  readonly usageMinor: bigint | null;
  readonly feeMinor: bigint | null;
  readonly meters: readonly {
    readonly meter: MeterName;
    readonly priceId: string;
    readonly quantity: bigint;
    readonly amountMinor: bigint;
    readonly tiers: readonly StoredLine[];
  }[];
  readonly charged: readonly ChargedLine[];
  readonly breaks: readonly Break[];
};

/** By Stripe's id or by its number, in the latest run that has it. Throws `rejected` STRIPE_NOT_FOUND. */
export async function explainInvoice(db: ReconcileDb, idOrNumber: string): Promise<ExplainedInvoice> {
  const ref = await findInvoice(db, idOrNumber);
  const [run, row, lines, breaks] = await Promise.all([
    fetchRun(db, ref.run),
    fetchRunAccount(db, ref),
    fetchRatedLines(db, ref.run, ref.account),
    fetchBreaks(db, ref.run),
  ]);
  return {
    run: ref.run,
    period: run.period,
    account: ref.account,
    currency: row.currency,
    invoice: ref.invoice,
    number: row.invoice?.number ?? null,
    status: row.invoice?.status ?? 'draft',
    invoicedMinor: row.invoice?.totalMinor ?? null,
    usageMinor: row.rated?.usageMinor ?? null,
    feeMinor: row.rated?.feeMinor ?? null,
    meters: METERS.flatMap((meter) => {
      const tiers = lines.filter((line) => line.meter === meter);
      const [first] = tiers;
      if (first === undefined) return [];
      const quantity = tiers.reduce((sum, line) => sum + line.quantity, 0n);
      return [{ meter, priceId: first.priceId, quantity, amountMinor: sumLines(tiers), tiers }];
    }),
    charged: await fetchChargedLines(db, row.evidence, ref.invoice),
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

const SNAPSHOT = z.object({
  id: z.string(),
  lines: z.array(
    z.object({
      id: z.string(),
      amount: z.string().regex(/^-?\d+$/),
      quantity: z.string().nullable(),
      unit_amount: z.string().nullable(),
      kind: z.string().nullable(),
    }),
  ),
});

/** The lines of the stored snapshot; none while the invoice is a draft, whose lines are estimates. */
async function fetchChargedLines(db: ReconcileDb, hashes: readonly string[], invoice: string): Promise<ChargedLine[]> {
  if (hashes.length === 0) return [];
  const rows = await db
    .selectFrom('evidence')
    .select('body')
    .where('hash', 'in', [...hashes])
    .where('kind', '=', 'stripe-invoice')
    .execute();
  const snapshots = rows.flatMap(({ body }) => {
    const parsed = SNAPSHOT.safeParse(JSON.parse(body));
    return parsed.success ? [parsed.data] : [];
  });
  return (snapshots.find(({ id }) => id === invoice)?.lines ?? []).map((line) => ({
    id: line.id,
    amountMinor: BigInt(line.amount),
    quantity: line.quantity,
    unitAmount: line.unit_amount,
    kind: line.kind,
  }));
}
