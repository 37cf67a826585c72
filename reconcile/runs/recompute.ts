// A run computed again from what it stored: no biller, no usage store. Pure. The accounts' sides and the period's sides say
// everything that was compared; what a run pinned (barriers, digest, code version) is taken as it stands in the run.

import type { Canonical } from '../../domain/canonical.ts';
import { invariant } from '../../domain/contracts/errors.ts';
import { WAITS } from '../../domain/contracts/waits.ts';
import { parsePeriod } from '../../domain/period.ts';
import { toBreak, toBreaks, type Break } from '../compare/break.ts';
import { fromSidesRecord } from '../compare/sides-record.ts';
import { assembleReport, type StoredRun } from '../report/assemble.ts';
import type { Report } from '../report/types.ts';
import type { RunAccount } from '../store/runs.ts';
import type { StoredLine } from '../store/rated.ts';
import { computeAccountResult } from './account-result.ts';
import { comparePeriodSides, fromPeriodRecord } from './period-sides.ts';
import { computeRated } from './rated.ts';

type EvidenceOf = ReadonlyMap<string, { readonly kind: string; readonly content: Canonical }>;

type Recomputed = {
  readonly account: RunAccount;
  readonly lines: readonly StoredLine[];
  readonly breaks: readonly Break[];
};

/** `stored` gives the members, what was pinned, and the rows of accounts that were never compared. */
export function recomputeReport(stored: StoredRun, evidence: EvidenceOf, reportedAtMs: number): Report {
  const { run } = stored;
  const period = parsePeriod(run.period);
  const brokeAtMs = period.endAtMs + WAITS.graceMs;
  const [hash] = run.periodEvidence;
  const record = hash === undefined ? undefined : evidence.get(hash);
  invariant(hash !== undefined && record !== undefined, 'I9', `run ${run.run} stored no sides of its period`);
  const sides = fromPeriodRecord(record.content);
  const accounts = stored.accounts.map((account) => recomputeAccount(account, { stored, evidence, brokeAtMs }));
  const breaks = [
    ...accounts.flatMap((one) => one.breaks),
    ...comparePeriodSides(sides).map((finding) => toBreak(finding, brokeAtMs, [hash])),
  ];
  return assembleReport({
    run,
    accounts: accounts.map(({ account }) => account),
    lines: accounts.flatMap(({ lines }) => lines),
    breaks: sortBreaks(breaks),
    period,
    totals: sides.totals,
    ingest: sides.ingest,
    ...(sides.emitted === null ? {} : { emitted: sides.emitted }),
    reportedAtMs,
  });
}

function recomputeAccount(
  member: RunAccount,
  { stored, evidence, brokeAtMs }: { stored: StoredRun; evidence: EvidenceOf; brokeAtMs: number },
): Recomputed {
  const record = member.evidence.map((hash) => evidence.get(hash)).find((one) => one?.kind === 'account-sides');
  const ofMember = ({ account }: { readonly account: string }) => account === member.account;
  // What failed before it was compared has no sides: its row is all that is known of it.
  if (record === undefined || member.state === 'failed') {
    return { account: member, lines: stored.lines.filter(ofMember), breaks: [] };
  }
  const sides = fromSidesRecord(record.content);
  const { bill: _, findings, ...result } = computeAccountResult(sides);
  const rated = computeRated(sides.own);
  return {
    account: {
      ...member,
      ...result,
      rated: { usageMinor: rated.usageMinor, feeMinor: rated.feeMinor },
      summaries: sides.biller.summaries,
    },
    lines: rated.lines.map((line) => ({ ...line, account: member.account })),
    breaks: toBreaks(findings, brokeAtMs, member.evidence),
  };
}

/** As the store returns them. */
function sortBreaks(breaks: readonly Break[]): Break[] {
  const key = ({ code, account, meter }: Break) => `${code} ${account} ${meter ?? ''}`;
  return [...breaks].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
