// The report of a closed period, as data: what finance signs, what the page and the files are drawn from. Plain JSON:
// money is whole minor units and quantities whole meter units, both as decimal strings; times are ISO 8601 in UTC.

import type { BreakCode, Stage } from '../../domain/contracts/break-codes.ts';
import type { MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import type { BreakStatus } from '../compare/break.ts';
import type { AgeBucket } from './ageing.ts';

export type ReportBreak = {
  readonly code: BreakCode;
  readonly stage: Stage;
  readonly account: string;
  readonly meter: MeterName | null;
  /** Expected − charged; positive means under-billed. */
  readonly amountMinor: string;
  readonly currency: Currency;
  readonly hours: readonly string[];
  readonly expected: string;
  readonly actual: string;
  readonly status: BreakStatus;
  readonly resolution: string;
  readonly brokeAt: string;
  readonly ageDays: number;
  readonly ageBucket: AgeBucket;
  /** SHA-256 of the stored evidence. */
  readonly evidence: readonly string[];
};

export type BreakClass = {
  readonly code: BreakCode;
  readonly stage: Stage;
  readonly rule: string;
  readonly resolution: string;
  readonly currency: Currency;
  readonly count: number;
  readonly open: number;
  readonly amountMinor: string;
  readonly ages: Readonly<Record<AgeBucket, number>>;
};

/**
 * From the log to what counted. Every message has one fate. `emitted` counts distinct events by the sources' manifests;
 * it is null when there are none.
 */
export type EventBridge = {
  readonly emitted: string | null;
  readonly messages: string;
  readonly rejected: string;
  readonly rejectedByReason: Readonly<Record<string, string>>;
  readonly accepted: string;
  /** Further copies of an event that counted. */
  readonly duplicates: string;
  /** Copies with other content than the first, never billed. */
  readonly conflicts: string;
  readonly unique: string;
  /** Unique events that don't count in this period as closed: of other periods, late, voided, or voids themselves. */
  readonly outside: string;
  readonly counted: string;
  /** Messages without a fate, and events that were emitted and did not arrive; zero when everything ties. */
  readonly unexplained: string;
};

/** From rolled up to rated, per meter. rolledUp = rated + unattributed + notRated + unexplained. */
export type QuantityBridge = {
  readonly meter: MeterName;
  readonly unit: string;
  readonly rolledUp: string;
  readonly unattributed: string;
  /** Usage of accounts whose rating failed. */
  readonly notRated: string;
  readonly rated: string;
  /** What Stripe's summaries say it was sent. */
  readonly transmitted: string;
  readonly unexplained: string;
};

export type MoneyStep = {
  readonly step: 'rated' | 'agreed' | 'held' | BreakCode | 'following' | 'unexplained' | 'invoiced';
  readonly label: string;
  /** Added to the step before; `rated` and `invoiced` are totals. */
  readonly amountMinor: string;
  /** Accounts (or breaks) behind the step. */
  readonly count: number;
};

/** From rated to invoiced, per currency: rated + agreed − held − breaks − following − unexplained = invoiced. */
export type MoneyBridge = {
  readonly currency: Currency;
  readonly ratedMinor: string;
  readonly invoicedMinor: string;
  readonly unexplainedMinor: string;
  readonly steps: readonly MoneyStep[];
  /** Money beyond the closed period's invoices: late and unattributed usage. */
  readonly beyondMinor: string;
};

/** From invoiced to paid, per currency: due − not yet due − breaks − unexplained = paid through the biller. */
export type CashBridge = {
  readonly currency: Currency;
  readonly dueMinor: string;
  readonly notYetDueMinor: string;
  readonly steps: readonly { readonly step: BreakCode; readonly amountMinor: string; readonly count: number }[];
  readonly paidMinor: string;
  readonly unexplainedMinor: string;
};

export type AccountRow = {
  readonly account: string;
  readonly plan: string;
  readonly currency: Currency;
  readonly state: 'open' | 'billed' | 'held' | 'missing' | 'failed';
  /** Why it is held or failed: gate reasons or an error code. */
  readonly reasons: readonly string[];
  readonly meters: readonly {
    readonly meter: MeterName;
    readonly priceId: string;
    readonly quantity: string;
    readonly amountMinor: string;
    /** Stripe's summary; null when it was never read. */
    readonly summary: string | null;
  }[];
  /** Null when the rating failed: unknown, not zero. */
  readonly usageMinor: string | null;
  readonly feeMinor: string | null;
  readonly totalMinor: string | null;
  readonly invoicedMinor: string | null;
  /** Σ of the breaks that explain rated − invoiced. */
  readonly explainedMinor: string;
  /** Zero for a failed account without a rating: what is missing there is not known. */
  readonly unexplainedMinor: string;
};

export type InvoiceRow = {
  readonly account: string;
  readonly id: string;
  readonly number: string | null;
  readonly status: string;
  readonly currency: Currency;
  /** Null for a draft: its amounts are estimates until it is finalized. */
  readonly totalMinor: string | null;
  /** Sum of the lines; differs from the total where Stripe applied credits, discounts or taxes. */
  readonly linesMinor: string | null;
};

export type Report = {
  readonly schema: 'trueup.report.v1';
  readonly run: string;
  readonly period: string;
  readonly periodStart: string;
  /** Exclusive. */
  readonly periodEnd: string;
  /** Business time. */
  readonly reportedAt: string;
  readonly verdict: {
    readonly result: 'clean' | 'breaks';
    readonly accounts: number;
    readonly billed: number;
    readonly held: number;
    readonly missing: number;
    readonly failed: number;
    readonly openBreaks: number;
    readonly autoAccepted: number;
    /** Bridges and accounts that don't tie, failed ones and holds without a break among them. */
    readonly unexplained: number;
  };
  readonly events: EventBridge;
  readonly quantities: readonly QuantityBridge[];
  readonly money: readonly MoneyBridge[];
  readonly cash: readonly CashBridge[];
  readonly classes: readonly BreakClass[];
  readonly breaks: readonly ReportBreak[];
  readonly topAccounts: readonly {
    readonly account: string;
    readonly currency: Currency;
    readonly totalMinor: string;
  }[];
  readonly accounts: readonly AccountRow[];
  readonly invoices: readonly InvoiceRow[];
  readonly evidence: {
    readonly priceBookHash: string;
    readonly digest: string;
    /** End offsets per partition. */
    readonly barrier: readonly string[];
    readonly lateBarrier: readonly string[];
    readonly codeVersion: string;
    readonly hashes: readonly string[];
  };
  /** Over period, price book, quantities, amounts and breaks: equal for equal business content. */
  readonly reportHash: string;
  /** Over the above and offsets, snapshots and code version: what this very run rests on. */
  readonly evidenceHash: string;
};
