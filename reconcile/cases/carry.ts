// What a run means for the cases of its period. Pure: found differences open cases or meet the ones they had; those that
// are gone are closed. Applied twice for one run, the second time changes nothing.

import type { Break } from '../compare/break.ts';
import { toCaseId, type CaseKey } from './key.ts';
import type { CaseEvent, CaseState } from './states.ts';

export type CarriedCase = {
  readonly caseId: string;
  readonly state: CaseState;
  readonly amountMinor: bigint;
  readonly reason: string | null;
  readonly lastRun: string;
};

export type NewCase = CaseKey & { readonly caseId: string; readonly amountMinor: bigint };

export type Carry = {
  readonly opened: readonly NewCase[];
  readonly events: readonly { readonly caseId: string; readonly event: CaseEvent }[];
};

type Found = Pick<Break, 'account' | 'code' | 'meter' | 'currency' | 'amountMinor' | 'status'>;

/** Of `breaks` only what waits for a person makes a case; what was accepted by rule does not. */
export function computeCarry(
  { run, period }: { readonly run: string; readonly period: string },
  breaks: readonly Found[],
  cases: readonly CarriedCase[],
): Carry {
  const found = sumByCase(period, breaks);
  const known = new Set(cases.map(({ caseId }) => caseId));
  const events = cases.flatMap((one) => {
    const still = found.get(one.caseId);
    const happened = still === undefined ? whenGone(one, run) : whenFound(one, run, still.amountMinor);
    return happened.map((event) => ({ caseId: one.caseId, event }));
  });
  return { opened: [...found.values()].filter(({ caseId }) => !known.has(caseId)), events };
}

function sumByCase(period: string, breaks: readonly Found[]): Map<string, NewCase> {
  const found = new Map<string, NewCase>();
  for (const { status, account, code, meter, currency, amountMinor } of breaks) {
    if (status !== 'open') continue;
    const key = { period, account, code, meter, currency };
    const caseId = toCaseId(key);
    found.set(caseId, { ...key, caseId, amountMinor: amountMinor + (found.get(caseId)?.amountMinor ?? 0n) });
  }
  return found;
}

function whenGone({ state }: CarriedCase, run: string): CaseEvent[] {
  return state === 'closed' ? [] : [{ kind: 'vanished', run }];
}

function whenFound(known: CarriedCase, run: string, amountMinor: bigint): CaseEvent[] {
  const changed = amountMinor !== known.amountMinor;
  const amounts = { fromMinor: known.amountMinor.toString(), toMinor: amountMinor.toString() };
  const noted: CaseEvent[] = changed ? [{ kind: 'amount-changed', run, ...amounts }] : [];
  const why = whyReopened(known, run, changed);
  return why === null ? noted : [...noted, { kind: 'reopened', reason: `${why} in run ${run}` }];
}

/** An acceptance holds for the money that was accepted; a repair and a closing claim that the difference is gone. */
function whyReopened({ state, reason, lastRun }: CarriedCase, run: string, changed: boolean): string | null {
  const isLater = lastRun !== run;
  if (state === 'accepted' || state === 'written-off') return changed ? 'the money changed' : null;
  if (state === 'repaired') return isLater ? 'still found' : null;
  if (state === 'closed') return isLater || reason === `vanished in run ${run}` ? 'found again' : null;
  return null;
}
