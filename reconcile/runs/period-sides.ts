// What is compared and counted over a period as a whole, as plain data: what a run stores as evidence of kind `period-sides`,
// and all that a re-run of it needs besides the accounts' own sides. Pure.

import { z } from 'zod';
import type { IngestCounts, LateTotal, NamespaceTotal } from '../../aggregate/usage.ts';
import type { Canonical } from '../../domain/canonical.ts';
import type { Finding } from '../compare/break.ts';
import { compareLate, compareUnattributed, sumByAccount, type LateAccount } from '../compare/late.ts';
import { currency, meter, terms, whole } from '../compare/sides-record.ts';

export type PeriodSides = {
  readonly totals: readonly NamespaceTotal[];
  readonly late: readonly LateTotal[];
  readonly ingest: IngestCounts;
  /** By the sources' manifests; null when none were collected. */
  readonly emitted: bigint | null;
  /** Everybody registered, with the terms of the period. */
  readonly accounts: readonly LateAccount[];
};

const text = z.string();
const ofNamespace = { account: text, namespace: text, meter };

const periodSides = z.object({
  totals: z.array(z.object({ ...ofNamespace, quantity: whole, events: whole })),
  late: z.array(z.object({ ...ofNamespace, closed: whole, withLate: whole })),
  ingest: z.object({
    messages: whole,
    accepted: whole,
    rejected: whole,
    rejectedByReason: z.record(text, whole),
    conflicts: whole,
    unique: whole,
  }),
  emitted: whole.nullable(),
  accounts: z.array(z.object({ id: text, currency, terms })),
}) satisfies z.ZodType<PeriodSides>;

export function toPeriodRecord(sides: PeriodSides): Canonical {
  return z.encode(periodSides, sides as z.output<typeof periodSides>) as Canonical;
}

/** Throws a zod error that names the place for anything but a record of period sides. */
export function fromPeriodRecord(record: Canonical): PeriodSides {
  return z.decode(periodSides, record as z.input<typeof periodSides>);
}

/** Late and unattributed usage: what no invoice of this period can hold. */
export function comparePeriodSides({ accounts, totals, late }: PeriodSides): Finding[] {
  const registered = new Set(accounts.map(({ id }) => id));
  return [...compareLate(accounts, sumByAccount(totals), late), ...compareUnattributed(registered, totals, late)];
}
