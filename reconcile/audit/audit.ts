// Audit-only mode: an existing Stripe account, read only, against own usage. The same comparison and the same report as a
// close; nothing is written but the report, and nothing is kept. Dying loses nothing.

import { sha256, canonicalJson } from '../../domain/canonical.ts';
import type { MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import { parseCurrency } from '../../domain/money.ts';
import type { Period } from '../../domain/period.ts';
import { forEachAtOnce } from '../activities/at-once.ts';
import type { BillingAudit } from '../billing/stripe-audit.ts';
import { compareAccount } from '../compare/account.ts';
import { toBreaks, type Break, type Finding } from '../compare/break.ts';
import { sumHours, type HourQuantities } from '../compare/transmit.ts';
import { assembleReport } from '../report/assemble.ts';
import type { Report } from '../report/types.ts';
import type { RunAccount } from '../store/runs.ts';
import type { StoredLine } from '../store/rated.ts';
import type { OwnUsage } from './own-usage.ts';
import { toAuditSides } from './sides.ts';

export type AuditInput = {
  readonly audit: BillingAudit;
  readonly usage: OwnUsage;
  readonly period: Period;
  /** Wall-clock time of the audit. */
  readonly nowMs: number;
  readonly codeVersion: string;
  readonly onProgress?: (done: number, of: number) => void;
};

export type Audited = {
  readonly report: Report;
  /** Sentences about what was not judged. */
  readonly limits: readonly string[];
};

const CUSTOMERS_AT_ONCE = 4;
/** Own usage of somebody without a metered subscription has no price and no currency; it is told in this one, worth nothing. */
const UNPRICED: Currency = 'usd';

export async function runAudit(input: AuditInput): Promise<Audited> {
  const { audit, usage, period } = input;
  const customers = await audit.fetchCustomers(period);
  const results: Result[] = [];
  let done = 0;
  await forEachAtOnce(CUSTOMERS_AT_ONCE, customers, async (customer) => {
    results.push(await auditCustomer(input, customer));
    done += 1;
    input.onProgress?.(done, customers.length);
  });
  results.sort((a, b) => (a.account.account < b.account.account ? -1 : 1));
  const known = new Set(customers);
  const strangers = [...usage]
    .filter(([customer]) => !known.has(customer))
    .flatMap(([customer, meters]) => unpriced(customer, meters));
  // By account: what is accepted as rounding is capped for each of them.
  const byAccount = [...results.map(({ findings }) => findings), strangers];
  const breaks = byAccount.flatMap((findings) => toBreaks(findings, period.endAtMs, []));
  const report = assembleReport(toReportInput(input, results, breaks));
  return { report, limits: [...new Set(results.flatMap((result) => result.limits))].sort() };
}

type Result = {
  readonly account: RunAccount;
  readonly lines: readonly StoredLine[];
  readonly findings: readonly Finding[];
  readonly limits: readonly string[];
  readonly evidence: string;
};

async function auditCustomer({ audit, usage, period, nowMs }: AuditInput, customer: string): Promise<Result> {
  const found = await audit.fetchCustomer(customer, period);
  const own = usage.get(customer) ?? new Map<string, HourQuantities>();
  const priced = new Map([...own].filter(([meter]) => found.prices.has(meter)));
  const differing = [...found.prices.keys()].filter(
    (meter) => sumHours(priced.get(meter) ?? new Map()) !== (found.summaries.get(meter) ?? 0n),
  );
  const hours = new Map<string, HourQuantities>();
  for (const meter of differing) hours.set(meter, await audit.fetchHours(customer, meter, period));
  const sides = toAuditSides({ found, period, usage: priced, hours });
  const compared = compareAccount(sides.own, sides.biller, { nowMs });
  const [invoice] = sides.biller.billing.invoices.filter(({ status }) => status !== 'void');
  const currency = parseCurrency(found.currency);
  const usageMinor = sides.own.expected.totalMinor;
  const issued = invoice !== undefined && invoice.status !== 'draft';
  const account: RunAccount = {
    account: customer,
    currency,
    planId: 'as Stripe prices it',
    state: invoice === undefined ? 'missing' : issued ? 'billed' : 'held',
    reasons: issued || invoice === undefined ? [] : ['DRAFT'],
    rated: { usageMinor, feeMinor: 0n },
    summaries: sides.biller.summaries,
    invoices: invoice === undefined ? [] : [{ id: invoice.id, draft: !issued }],
    invoice: issued
      ? {
          number: invoice.number,
          status: invoice.status,
          totalMinor: invoice.totalMinor,
          linesMinor: invoice.totalMinor,
        }
      : null,
    compared: {
      expectedMinor: usageMinor,
      followingMinor: compared.followingMinor,
      dueMinor: issued ? invoice.amountDueMinor : 0n,
      paidMinor: issued ? invoice.amountPaidMinor : 0n,
      waitingMinor: 0n,
    },
    evidence: [],
  };
  const unrated = [...found.prices.values()].filter(({ rated }) => !rated);
  const snapshots = found.billing.invoices.map(({ snapshot }) => snapshot);
  return {
    account,
    lines: sides.lines.map((line) => ({ ...line, account: customer })),
    findings: [
      ...compared.findings,
      ...unpriced(customer, new Map([...own].filter(([meter]) => !found.prices.has(meter)))),
    ],
    limits: unrated.map(
      ({ price }) =>
        `price ${price.id} has volume tiers, flat amounts or packages: its quantity was judged, its amount was not`,
    ),
    evidence: sha256(canonicalJson(snapshots)),
  };
}

/** Usage that no subscription prices: it is named with its quantity, and nobody can say what it is worth. */
function unpriced(customer: string, meters: ReadonlyMap<string, HourQuantities>): Finding[] {
  return [...meters]
    .filter(([, hours]) => sumHours(hours) !== 0n)
    .map(([meter, hours]) => ({
      code: 'USAGE_UNATTRIBUTED',
      account: customer,
      meter: meter as MeterName,
      amountMinor: 0n,
      currency: UNPRICED,
      hours: [],
      expected: sumHours(hours).toString(),
      actual: '0',
    }));
}

/** An audit has no log of its own: what the usage files say is what came, and nothing was late. */
function toReportInput(
  { usage, period, nowMs, codeVersion }: AuditInput,
  results: readonly Result[],
  breaks: readonly Break[],
): Parameters<typeof assembleReport>[0] {
  const totals = [...usage].flatMap(([account, meters]) =>
    [...meters].map(([meter, hours]) => ({
      account,
      namespace: account,
      meter: meter as MeterName,
      quantity: sumHours(hours),
      events: BigInt(hours.size),
    })),
  );
  const rows = totals.reduce((sum, { events }) => sum + events, 0n);
  const digest = sha256(canonicalJson(totals.map((total) => [total.account, total.meter, total.quantity.toString()])));
  return {
    run: {
      run: `audit-${period.key}`,
      period: period.key,
      openedAtMs: nowMs,
      batches: 1,
      barrier: [],
      digest,
      closedEvents: rows,
      lateBarrier: [],
      codeVersion,
      pins: null,
      periodEvidence: [],
    },
    accounts: results.map(({ account, evidence }) => ({ ...account, evidence: [evidence] })),
    lines: results.flatMap(({ lines }) => lines),
    breaks,
    period,
    totals,
    ingest: { messages: rows, accepted: rows, rejected: 0n, rejectedByReason: {}, conflicts: 0n, unique: rows },
    reportedAtMs: nowMs,
  };
}
