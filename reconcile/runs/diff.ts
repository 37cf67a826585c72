// What is different between two runs of a period, in the words of finance: breaks that went, came or changed their money,
// accounts that moved, and which hashes say so. Pure.

import { formatMoney } from '../../domain/money.ts';
import type { AccountRow, Report, ReportBreak } from '../report/types.ts';

export type BreakChange = {
  readonly change: 'gone' | 'new' | 'changed';
  readonly code: string;
  readonly account: string;
  readonly meter: string | null;
  readonly currency: ReportBreak['currency'];
  /** Null where the run has none. */
  readonly fromMinor: string | null;
  readonly toMinor: string | null;
};

export type AccountChange = {
  readonly account: string;
  readonly currency: AccountRow['currency'];
  /** By field: what it was and what it is; null for unknown, absent or not there. */
  readonly fields: readonly { readonly field: string; readonly from: string | null; readonly to: string | null }[];
};

export type RunDiff = {
  readonly from: string;
  readonly to: string;
  readonly sameReport: boolean;
  readonly sameEvidence: boolean;
  readonly breaks: readonly BreakChange[];
  readonly accounts: readonly AccountChange[];
  /** What each run rests on, where it differs. */
  readonly inputs: readonly { readonly input: string; readonly from: string; readonly to: string }[];
};

const FIELDS = ['plan', 'state', 'usageMinor', 'feeMinor', 'totalMinor', 'invoicedMinor', 'unexplainedMinor'] as const;

export function diffReports(from: Report, to: Report): RunDiff {
  return {
    from: from.run,
    to: to.run,
    sameReport: from.reportHash === to.reportHash,
    sameEvidence: from.evidenceHash === to.evidenceHash,
    breaks: diffBreaks(from.breaks, to.breaks),
    accounts: diffAccounts(from.accounts, to.accounts),
    inputs: diffInputs(from.evidence, to.evidence),
  };
}

function diffBreaks(from: readonly ReportBreak[], to: readonly ReportBreak[]): BreakChange[] {
  return pairUp(
    from,
    to,
    ({ code, account, meter, currency }) => `${code} ${account} ${meter ?? ''} ${currency}`,
  ).flatMap(({ before, after }): BreakChange[] => {
    const one = after ?? before;
    if (one === undefined || before?.amountMinor === after?.amountMinor) return [];
    const { code, account, meter, currency } = one;
    return [
      {
        change: after === undefined ? 'gone' : before === undefined ? 'new' : 'changed',
        code,
        account,
        meter,
        currency,
        fromMinor: before?.amountMinor ?? null,
        toMinor: after?.amountMinor ?? null,
      },
    ];
  });
}

function diffAccounts(from: readonly AccountRow[], to: readonly AccountRow[]): AccountChange[] {
  return pairUp(from, to, ({ account }) => account).flatMap(({ before, after }): AccountChange[] => {
    const one = after ?? before;
    if (one === undefined) return [];
    const fields = FIELDS.map((field) => ({ field, from: before?.[field] ?? null, to: after?.[field] ?? null }));
    const quantities = pairUp(before?.meters ?? [], after?.meters ?? [], ({ meter }) => meter).map((pair) => ({
      field: (pair.after ?? pair.before)?.meter ?? '',
      from: pair.before?.quantity ?? null,
      to: pair.after?.quantity ?? null,
    }));
    const changed = [...fields, ...quantities].filter((field) => field.from !== field.to);
    return changed.length === 0 ? [] : [{ account: one.account, currency: one.currency, fields: changed }];
  });
}

function diffInputs(from: Report['evidence'], to: Report['evidence']): RunDiff['inputs'] {
  const has = (evidence: Report['evidence'], other: Report['evidence']) =>
    `${evidence.hashes.filter((hash) => !other.hashes.includes(hash)).length} records of its own`;
  const inputs = [
    { input: 'price book', from: from.priceBookHash, to: to.priceBookHash },
    { input: 'digest of closed usage', from: from.digest, to: to.digest },
    { input: 'barrier', from: from.barrier.join(','), to: to.barrier.join(',') },
    { input: 'late barrier', from: from.lateBarrier.join(','), to: to.lateBarrier.join(',') },
    { input: 'code version', from: from.codeVersion, to: to.codeVersion },
    { input: 'evidence', from: has(from, to), to: has(to, from) },
  ];
  return inputs.filter((one) => one.from !== one.to);
}

/** By key, in its order. */
function pairUp<T>(
  from: readonly T[],
  to: readonly T[],
  keyOf: (one: T) => string,
): { readonly before: T | undefined; readonly after: T | undefined }[] {
  const [before, after] = [new Map(from.map((one) => [keyOf(one), one])), new Map(to.map((one) => [keyOf(one), one]))];
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys.map((key) => ({ before: before.get(key), after: after.get(key) }));
}

/** One line per change, for people. */
export function describeDiff(diff: RunDiff): string[] {
  const same = (holds: boolean) => (holds ? 'same' : 'another');
  return [
    `${diff.from} → ${diff.to}: ${same(diff.sameReport)} report hash, ${same(diff.sameEvidence)} evidence hash`,
    ...diff.breaks.map(describeBreak),
    ...diff.accounts.flatMap(describeAccount),
    ...diff.inputs.map(({ input, from, to }) => `  ${input}: ${from} → ${to}`),
  ];
}

function describeBreak({ change, code, account, meter, currency, fromMinor, toMinor }: BreakChange): string {
  const money = [fromMinor, toMinor].flatMap((minor) => (minor === null ? [] : [formatMoney(BigInt(minor), currency)]));
  return `  ${change.padEnd(7)} ${code} ${account}${meter === null ? '' : ` ${meter}`}: ${money.join(' → ')} ${currency.toUpperCase()}`;
}

function describeAccount({ account, currency, fields }: AccountChange): string[] {
  return fields.map(({ field, from, to }) => {
    const say = (value: string | null) =>
      value === null ? 'none' : field.endsWith('Minor') ? formatMoney(BigInt(value), currency) : value;
    return `  account ${account}: ${field.replace(/Minor$/, '')} ${say(from)} → ${say(to)}`;
  });
}
