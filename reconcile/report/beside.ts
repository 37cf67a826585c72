// What is shown beside a report and is no part of it: it changes when people act or another period closes, and the report's
// hashes do not. Pure.

import type { Case } from '../cases/book.ts';
import { toCaseId } from '../cases/key.ts';
import type { SignOffStatus } from '../sign-off/book.ts';
import type { TrendPoint } from './trend.ts';
import type { Report, ReportBreak } from './types.ts';

export type BesideCase = Pick<Case, 'caseId' | 'state' | 'owner' | 'severity' | 'dueAtMs'>;

export type BesideSignOff = Pick<SignOffStatus, 'signOff' | 'deviations'>;

export type ReportBeside = {
  /** The periods up to this one; without them the report stands alone. */
  readonly trend?: readonly TrendPoint[] | undefined;
  /** Cases of the period as they stand. */
  readonly cases?: readonly BesideCase[] | undefined;
  readonly signOff?: BesideSignOff | undefined;
};

export type AgedBreak = ReportBreak & { readonly caseId: string; readonly case: BesideCase | null };

/** Every break with the case that is about it; what was accepted by rule has none. The oldest first, then the largest. */
export function toAgedBreaks({ period, breaks }: Pick<Report, 'period' | 'breaks'>, beside: ReportBeside): AgedBreak[] {
  const cases = new Map((beside.cases ?? []).map((one) => [one.caseId, one]));
  const aged = breaks.map((found) => {
    const caseId = toCaseId({ ...found, period });
    return { ...found, caseId, case: found.status === 'open' ? (cases.get(caseId) ?? null) : null };
  });
  return aged.sort((a, b) => b.ageDays - a.ageDays || compareSize(b, a) || (a.caseId < b.caseId ? -1 : 1));
}

function compareSize(a: ReportBreak, b: ReportBreak): number {
  const size = ({ amountMinor }: ReportBreak) => BigInt(amountMinor.replace('-', ''));
  return size(a) < size(b) ? -1 : size(a) > size(b) ? 1 : 0;
}

export type Signature =
  | { readonly kind: 'none' }
  /** Somebody signed, and what they signed is not this, or not any more. */
  | { readonly kind: 'broken'; readonly why: readonly string[] }
  | { readonly kind: 'signed'; readonly signOff: NonNullable<BesideSignOff['signOff']> };

/** Whether this very report is signed: its run, both hashes, and nothing that changed since. */
export function toSignature(report: Report, { signOff: status }: ReportBeside): Signature {
  const signOff = status?.signOff ?? null;
  if (status === undefined || signOff === null) return { kind: 'none' };
  const isThis =
    signOff.run === report.run &&
    signOff.reportHash === report.reportHash &&
    signOff.evidenceHash === report.evidenceHash;
  const why = [...(isThis ? [] : [`run ${signOff.run} was signed, not this report`]), ...status.deviations];
  return why.length === 0 ? { kind: 'signed', signOff } : { kind: 'broken', why };
}
