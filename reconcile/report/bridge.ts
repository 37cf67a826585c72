// The bridges of a report: each leads from one total to the next through named differences, and what no name explains
// stands as unexplained. Pure; whole numbers only, so a bridge that ties, ties exactly.

import { magnitude } from '../../domain/decimal.ts';
import type { IngestCounts, NamespaceTotal } from '../../aggregate/usage.ts';
import { BREAK_CODES, BREAK_RULES, type BreakCode } from '../../domain/contracts/break-codes.ts';
import { metersOf, meterUnits } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import type { Break } from '../compare/break.ts';
import type { RunAccount } from '../store/runs.ts';
import type { StoredLine } from '../store/rated.ts';
import type { CashBridge, EventBridge, MoneyBridge, MoneyStep, QuantityBridge } from './types.ts';

/** Breaks of usage that stand between no agreed and invoiced total: both come from the usage as closed. */
const BEYOND_INVOICE: ReadonlySet<BreakCode> = new Set([
  'USAGE_LATE',
  'USAGE_UNATTRIBUTED',
  'USAGE_DUPLICATE',
  'ROLLUP_MISMATCH',
]);

/**
 * Whether a break explains a difference between agreed and invoiced: only where there is an invoice to differ, or none
 * where one should be. The breaks of an account that is held or failed explain why it is, and its money is all there.
 * Cash is another bridge: what was invoiced stays invoiced, paid or not.
 */
export function affectsInvoice({ code }: Break, state: RunAccount['state']): boolean {
  if (BEYOND_INVOICE.has(code) || BREAK_RULES[code].stage === 'L6') return false;
  return state === 'missing' || state === 'billed';
}

type EventCounts = {
  readonly ingest: IngestCounts;
  readonly counted: bigint;
  /** By the sources' manifests; null when there are none. */
  readonly emitted: bigint | null;
};

/** What a break of the log or of a source names does not stand as unexplained once more. */
export function computeEventBridge(
  { ingest, counted, emitted }: EventCounts,
  breaks: readonly Pick<Break, 'code'>[],
): EventBridge {
  const isNamed = (code: BreakCode) => breaks.some((found) => found.code === code);
  const duplicates = ingest.accepted - ingest.unique - ingest.conflicts;
  const outside = ingest.unique - counted;
  const withoutFate = ingest.messages - ingest.accepted - ingest.rejected;
  // Manifests count distinct events, also those that were rejected; whatever exceeds both has not arrived.
  const missing = emitted === null ? 0n : emitted - ingest.unique - ingest.rejected;
  const notArrived = missing > 0n ? missing : 0n;
  const negative = duplicates < 0n || outside < 0n ? 1n : 0n;
  const reasons = Object.entries(ingest.rejectedByReason).map(([reason, count]) => [reason, count.toString()] as const);
  return {
    emitted: emitted?.toString() ?? null,
    messages: ingest.messages.toString(),
    rejected: ingest.rejected.toString(),
    rejectedByReason: Object.fromEntries(reasons),
    accepted: ingest.accepted.toString(),
    duplicates: duplicates.toString(),
    conflicts: ingest.conflicts.toString(),
    unique: ingest.unique.toString(),
    outside: outside.toString(),
    counted: counted.toString(),
    unexplained: (
      (isNamed('USAGE_MISSING_RAW') ? 0n : magnitude(withoutFate)) +
      (isNamed('MANIFEST_SHORT') ? 0n : notArrived) +
      negative
    ).toString(),
  };
}

export function computeQuantityBridges(of: {
  readonly totals: readonly NamespaceTotal[];
  readonly accounts: readonly RunAccount[];
  readonly lines: readonly StoredLine[];
}): QuantityBridge[] {
  const members = new Map(of.accounts.map((account) => [account.account, account]));
  return metersOf([...of.lines, ...of.totals]).map((meter) => {
    const totals = of.totals.filter((total) => total.meter === meter);
    const rolledUp = sum(totals, ({ quantity }) => quantity);
    const unattributed = sum(
      totals.filter(({ account }) => !members.has(account)),
      ({ quantity }) => quantity,
    );
    const notRated = sum(
      totals.filter(({ account }) => members.get(account)?.rated === null),
      ({ quantity }) => quantity,
    );
    const rated = sum(
      of.lines.filter((line) => line.meter === meter),
      ({ quantity }) => quantity,
    );
    return {
      meter,
      unit: meterUnits(meter).unit,
      rolledUp: rolledUp.toString(),
      unattributed: unattributed.toString(),
      notRated: notRated.toString(),
      rated: rated.toString(),
      transmitted: sum(of.accounts, ({ summaries }) => summaries[meter] ?? 0n).toString(),
      unexplained: (rolledUp - unattributed - notRated - rated).toString(),
    };
  });
}

export function ratedTotal(account: RunAccount): bigint {
  return account.rated === null ? 0n : account.rated.usageMinor + account.rated.feeMinor;
}

/** What the invoice should come to: rated usage and plan fee, then commitment, discounts, prepaid credit and tax. */
export function agreedTotal(account: RunAccount): bigint {
  return account.compared?.expectedMinor ?? ratedTotal(account);
}

/** Breaks of this account that stand between its agreed and its invoiced total. */
export function computeExplained(account: RunAccount, breaks: readonly Break[]): bigint {
  const own = breaks.filter((found) => found.account === account.account && affectsInvoice(found, account.state));
  return sum(own, ({ amountMinor }) => amountMinor);
}

/** What makes the gate hold an invoice and is told as a break of its own. */
const HOLDING: ReadonlySet<BreakCode> = new Set([
  'USAGE_NOT_SENT',
  'USAGE_OVERSENT',
  'INVOICE_DUPLICATE',
  'INVOICE_STUCK_DRAFT',
  'FINALIZATION_FAILED',
]);

/** Also by somebody who put a hold on it, with a reason. */
function isHoldExplained(account: RunAccount, breaks: readonly Break[]): boolean {
  if (account.state !== 'held') return false;
  if (account.reasons.some((reason) => reason.startsWith('ON_HOLD'))) return true;
  return breaks.some((found) => found.account === account.account && HOLDING.has(found.code));
}

/** Agreed − invoiced that no break names. An account is named by its hold only if something says why it is held. */
export function computeUnexplained(account: RunAccount, breaks: readonly Break[]): bigint {
  if (isHoldExplained(account, breaks)) return 0n;
  const { invoice, compared } = account;
  const following = compared?.followingMinor ?? 0n;
  return agreedTotal(account) - following - (invoice?.totalMinor ?? 0n) - computeExplained(account, breaks);
}

/** Also where no money shows it: a failed account may have no rating, and a hold without a reason may be of nothing. */
export function isUnexplained(account: RunAccount, breaks: readonly Break[]): boolean {
  if (account.state === 'failed') return true;
  if (account.state === 'held') return !isHoldExplained(account, breaks);
  return computeUnexplained(account, breaks) !== 0n;
}

export function computeMoneyBridges(accounts: readonly RunAccount[], breaks: readonly Break[]): MoneyBridge[] {
  const currencies = [...new Set([...accounts, ...breaks].map(({ currency }) => currency))].sort();
  return currencies.map((currency) => computeMoneyBridge(currency, accounts, breaks));
}

function computeMoneyBridge(
  currency: Currency,
  everyAccount: readonly RunAccount[],
  everyBreak: readonly Break[],
): MoneyBridge {
  const accounts = everyAccount.filter((account) => account.currency === currency);
  const breaks = everyBreak.filter((found) => found.currency === currency);
  const states = new Map(accounts.map(({ account, state }) => [account, state]));
  const affecting = breaks.filter((found) => affectsInvoice(found, states.get(found.account) ?? 'open'));

  const rated = sum(accounts, ratedTotal);
  const agreed = sum(accounts, agreedTotal) - rated;
  const following = sum(accounts, ({ compared }) => compared?.followingMinor ?? 0n);
  const invoiced = sum(accounts, ({ invoice }) => invoice?.totalMinor ?? 0n);
  const left = accounts.filter((account) => isUnexplained(account, breaks));
  const unexplained = sum(left, (account) => computeUnexplained(account, breaks));
  const held = accounts.filter((account) => isHoldExplained(account, breaks));
  const heldBack = sum(held, (account) => agreedTotal(account) - (account.invoice?.totalMinor ?? 0n));
  const heldStep: MoneyStep = {
    step: 'held',
    label: 'held back by the gate',
    amountMinor: (-heldBack).toString(),
    count: held.length,
  };
  const breakSteps = BREAK_CODES.flatMap((code): MoneyStep[] => {
    const of = affecting.filter((found) => found.code === code);
    const amountMinor = (-sum(of, (found) => found.amountMinor)).toString();
    return of.length === 0 ? [] : [{ step: code, label: code, amountMinor, count: of.length }];
  });
  const adjusted = (step: 'agreed' | 'following', label: string, amountMinor: bigint): MoneyStep[] =>
    amountMinor === 0n ? [] : [{ step, label, amountMinor: amountMinor.toString(), count: accounts.length }];
  const steps: MoneyStep[] = [
    { step: 'rated', label: 'rated by us', amountMinor: rated.toString(), count: accounts.length },
    ...adjusted('agreed', 'commitments, discounts, credit and tax', agreed),
    ...(held.length === 0 ? [] : [heldStep]),
    ...breakSteps,
    ...adjusted('following', 'discounts, credit and tax on these differences', -following),
    { step: 'unexplained', label: 'unexplained', amountMinor: (-unexplained).toString(), count: left.length },
    {
      step: 'invoiced',
      label: 'invoiced by Stripe',
      amountMinor: invoiced.toString(),
      count: accounts.filter(({ invoice }) => invoice !== null).length,
    },
  ];
  const beyond = sum(
    breaks.filter(({ code }) => BEYOND_INVOICE.has(code)),
    ({ amountMinor }) => amountMinor,
  );
  return {
    currency,
    ratedMinor: rated.toString(),
    invoicedMinor: invoiced.toString(),
    unexplainedMinor: unexplained.toString(),
    beyondMinor: beyond.toString(),
    steps,
  };
}

/** From what issued invoices ask for to what came. What is not yet due is no break, and stands as its own step. */
export function computeCashBridges(accounts: readonly RunAccount[], breaks: readonly Break[]): CashBridge[] {
  const currencies = [...new Set(accounts.map(({ currency }) => currency))].sort();
  return currencies.map((currency) => {
    const compared = accounts.flatMap((account) => (account.currency === currency ? (account.compared ?? []) : []));
    const due = sum(compared, ({ dueMinor }) => dueMinor);
    const received = sum(compared, ({ paidMinor }) => paidMinor);
    const waiting = sum(compared, ({ waitingMinor }) => waitingMinor);
    const steps = CASH_CODES.flatMap((code): CashBridge['steps'][number][] => {
      const of = breaks.filter((found) => found.code === code && found.currency === currency);
      const amountMinor = (-sum(of, (found) => found.amountMinor)).toString();
      return of.length === 0 ? [] : [{ step: code, amountMinor, count: of.length }];
    });
    const named = sum(steps, ({ amountMinor }) => BigInt(amountMinor));
    const unproven = sum(
      breaks.filter(({ code, currency: of }) => code === 'PAYMENT_OUT_OF_BAND' && of === currency),
      ({ amountMinor }) => amountMinor,
    );
    const paid = received - unproven;
    return {
      currency,
      dueMinor: due.toString(),
      notYetDueMinor: waiting.toString(),
      steps,
      paidMinor: paid.toString(),
      unexplainedMinor: (due - waiting + named - paid).toString(),
    };
  });
}

/** A credit note that nobody explains lowers what is asked for; it is no payment that is missing. */
const CASH_CODES = BREAK_CODES.filter((code) => BREAK_RULES[code].stage === 'L6' && code !== 'CREDIT_NOTE_UNEXPLAINED');

function sum<T>(items: readonly T[], value: (item: T) => bigint): bigint {
  return items.reduce((total, item) => total + value(item), 0n);
}
