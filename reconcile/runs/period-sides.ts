// What is compared and counted over a period as a whole, as plain data: what a run stores as evidence of kind `period-sides`,
// and all that a re-run of it needs besides the accounts' own sides. Pure.

import { z } from 'zod';
import type { IngestCounts, LateTotal, Miscount, Miscounts, NamespaceTotal } from '../../aggregate/usage.ts';
import type { Canonical } from '../../domain/canonical.ts';
import { BREAK_CODES } from '../../domain/contracts/break-codes.ts';
import type { Finding } from '../compare/break.ts';
import {
  compareLate,
  compareUnattributed,
  sumByAccount,
  totalKey,
  type AccountTotals,
  type LateAccount,
} from '../compare/late.ts';
import {
  compareDuplicates,
  compareLog,
  compareManifests,
  compareRollups,
  type Announced,
  type Counted,
} from '../compare/log.ts';
import { currency, meter, terms, whole } from '../compare/sides-record.ts';
import type { Settled } from '../repairs/explained.ts';

export type PeriodSides = {
  readonly totals: readonly NamespaceTotal[];
  readonly late: readonly LateTotal[];
  readonly ingest: IngestCounts;
  /** By the sources' manifests; null when none were collected. */
  readonly emitted: bigint | null;
  /** Sources whose manifests announce more of this period than arrived. */
  readonly announced: readonly Announced[];
  readonly miscounts: Miscounts;
  /** Everybody registered, with the terms of the period. */
  readonly accounts: readonly LateAccount[];
  /** What repairs have settled of earlier findings, so that a run after a repair finds nothing. */
  readonly settled: readonly Settled[];
};

const text = z.string();
const ofNamespace = { account: text, namespace: text, meter };
const miscounts = z.array(z.object({ ...ofNamespace, right: whole, counted: whole }));

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
  announced: z.array(z.object({ source: text, announced: whole, arrived: whole })),
  miscounts: z.object({ rollups: miscounts, duplicates: miscounts }),
  accounts: z.array(z.object({ id: text, currency, terms })),
  settled: z.array(z.object({ code: z.enum(BREAK_CODES), account: text, meter: meter.nullable(), amountMinor: whole })),
}) satisfies z.ZodType<PeriodSides>;

export function toPeriodRecord(sides: PeriodSides): Canonical {
  return z.encode(periodSides, sides as z.output<typeof periodSides>) as Canonical;
}

/** Throws a zod error that names the place for anything but a record of period sides. */
export function fromPeriodRecord(record: Canonical): PeriodSides {
  return z.decode(periodSides, record as z.input<typeof periodSides>);
}

/**
 * The legs that are of no one account, in their order: what sources announced and did not send (S0), messages without a fate
 * and what counts twice (L0), rollups that are not their events, late usage (L1), usage of nobody. A period is compared once
 * its grace is over, and by then every hour of a manifest is due.
 */
export function comparePeriodSides(sides: PeriodSides): Finding[] {
  const { accounts, totals, late, announced, ingest, miscounts } = sides;
  const registered = new Set(accounts.map(({ id }) => id));
  const due = { nowMs: 0 };
  const closed = sumByAccount(totals);
  const { messages, accepted: stored, rejected } = ingest;
  const findings = [
    ...compareManifests(announced, due.nowMs, due).findings,
    ...compareLog([{ where: 'the usage topic', messages, stored, rejected }]),
    ...compareDuplicates(accounts, toCounted(closed, miscounts.duplicates, 'counted')),
    ...compareRollups(accounts, toCounted(closed, miscounts.rollups, 'right')),
    ...compareLate(accounts, closed, late),
    ...compareUnattributed(registered, totals, late),
  ];
  return findings.flatMap((finding) => takeOff(finding, sides.settled));
}

/** What is left of a finding; more than was settled may have come since. */
function takeOff(finding: Finding, settled: readonly Settled[]): Finding[] {
  const minor = settled
    .filter(
      ({ code, account, meter: of }) => code === finding.code && account === finding.account && of === finding.meter,
    )
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  if (minor === 0n) return [finding];
  const amountMinor = finding.amountMinor - minor;
  return amountMinor === 0n ? [] : [{ ...finding, amountMinor }];
}

/** Miscounts tell the windows concerned alone. `closedIs` says which side of them the closed total holds. */
function toCounted(closed: AccountTotals, found: readonly Miscount[], closedIs: 'right' | 'counted'): Counted[] {
  const groups = Map.groupBy(found, ({ account, meter }) => totalKey(account, meter));
  return [...groups].flatMap(([key, [first, ...more]]) => {
    if (first === undefined) return [];
    const differenceOf = ({ right, counted }: Miscount) => counted - right;
    const difference = more.reduce((sum, one) => sum + differenceOf(one), differenceOf(first));
    const total = closed.get(key) ?? 0n;
    const { account, meter } = first;
    return closedIs === 'right'
      ? [{ account, meter, right: total, counted: total + difference }]
      : [{ account, meter, right: total - difference, counted: total }];
  });
}
