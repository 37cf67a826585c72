// Whether a period may be signed, approved or reopened, and whether a signature still says what stands. Pure. A sign-off is
// never marked invalid: it is compared with what stands whenever somebody looks, so that no change can forget to say so.

import { decidePermission, type Actor } from '../../domain/contracts/permissions.ts';

/** What a signature binds. */
export type Signed = {
  readonly run: string;
  readonly reportHash: string;
  readonly evidenceHash: string;
  readonly casesHash: string;
};

export type SignOff = Signed & {
  readonly id: string;
  readonly period: string;
  readonly preparedBy: string;
  readonly preparedAtMs: number;
  readonly note: string | null;
  readonly preparedEntry: { readonly sequence: string; readonly hash: string };
  readonly approved: {
    readonly by: string;
    readonly atMs: number;
    readonly entry: { readonly sequence: string; readonly hash: string };
  } | null;
};

/** What stands in the database now, hashes computed afresh from what is stored. */
export type Standing = {
  readonly period: string;
  /** The newest run; null before the first. Its report is null while it is under way. */
  readonly run: string | null;
  readonly report: {
    readonly storedReportHash: string;
    readonly storedEvidenceHash: string;
    readonly reportHash: string;
    readonly evidenceHash: string;
    /** Differences without a name in it. */
    readonly unexplained: number;
    /** Evidence it names that is gone or altered. */
    readonly brokenEvidence: readonly string[];
  } | null;
  readonly casesHash: string;
  readonly unsettledCases: readonly string[];
};

/** open: no report yet; review: a report waits; signed: by the preparer; locked: by the reviewer as well. */
export type PeriodState = 'open' | 'review' | 'signed' | 'locked';

export function computePeriodState(standing: Standing, signOff: SignOff | null): PeriodState {
  if (signOff !== null) return signOff.approved === null ? 'signed' : 'locked';
  return standing.report === null ? 'open' : 'review';
}

/** Why the sign-off doesn't hold for what stands; empty when it does. */
export function computeDeviations(signed: Signed, { run, report, casesHash }: Standing): string[] {
  if (run !== signed.run) return [`run ${run ?? 'none'} stands, signed was ${signed.run}`];
  if (report === null) return [`the report of run ${run} is gone`];
  const says: [boolean, string][] = [
    [report.storedReportHash !== signed.reportHash, 'the report hash is another one than was signed'],
    [report.storedEvidenceHash !== signed.evidenceHash, 'the evidence hash is another one than was signed'],
    ...computeReportFaults(report).map((fault): [boolean, string] => [true, fault]),
    [casesHash !== signed.casesHash, 'cases changed after the signature'],
  ];
  return says.filter(([holds]) => holds).map(([, why]) => why);
}

function computeReportFaults(report: NonNullable<Standing['report']>): string[] {
  const says: [boolean, string][] = [
    [report.reportHash !== report.storedReportHash, 'the report does not give its own report hash'],
    [report.evidenceHash !== report.storedEvidenceHash, 'the report does not give its own evidence hash'],
    [report.brokenEvidence.length > 0, `evidence is gone or altered: ${report.brokenEvidence.join(', ')}`],
  ];
  return says.filter(([holds]) => holds).map(([, why]) => why);
}

export type Decision<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly why: string };

/** `despite` is the preparer's reason for signing with unsettled cases or unexplained differences. */
export function decidePrepare(
  actor: Actor,
  { standing, signOff, despite }: { standing: Standing; signOff: SignOff | null; despite: string | null },
): Decision<{ readonly signed: Signed }> {
  const permitted = decidePermission(actor, 'sign-off.prepare');
  if (!permitted.granted) return { ok: false, why: permitted.why };
  const { run, report, casesHash, unsettledCases } = standing;
  if (signOff !== null && signOff.approved !== null)
    return { ok: false, why: `${standing.period} is locked: reopen it` };
  if (signOff !== null && computeDeviations(signOff, standing).length === 0) {
    return { ok: false, why: `${signOff.preparedBy} signed this already; it waits for a reviewer` };
  }
  if (run === null || report === null) return { ok: false, why: `${standing.period} has no report to sign` };
  const faults = computeReportFaults(report);
  if (faults.length > 0) return { ok: false, why: faults.join('; ') };
  const left = [
    ...(unsettledCases.length > 0 ? [`unsettled: ${unsettledCases.join(', ')}`] : []),
    ...(report.unexplained > 0 ? [`${report.unexplained} differences without a name`] : []),
  ];
  if (left.length > 0 && (despite ?? '').trim() === '') {
    return { ok: false, why: `${left.join('; ')}; settle them, or say with --despite why it is signed all the same` };
  }
  const { reportHash, evidenceHash } = report;
  return { ok: true, signed: { run, reportHash, evidenceHash, casesHash } };
}

export function decideApprove(
  actor: Actor,
  { standing, signOff }: { standing: Standing; signOff: SignOff | null },
): Decision<{ readonly signOff: SignOff }> {
  const permitted = decidePermission(actor, 'sign-off.approve');
  if (!permitted.granted) return { ok: false, why: permitted.why };
  if (signOff === null) return { ok: false, why: `nobody has prepared ${standing.period} for approval` };
  if (signOff.approved !== null) return { ok: false, why: `${signOff.approved.by} approved it already` };
  if (signOff.preparedBy === actor.id) return { ok: false, why: `${actor.id} prepared it: another person approves` };
  const deviations = computeDeviations(signOff, standing);
  if (deviations.length > 0) return { ok: false, why: `it changed after it was prepared: ${deviations.join('; ')}` };
  return { ok: true, signOff };
}

export function decideReopen(
  actor: Actor,
  { period, signOff, reason }: { period: string; signOff: SignOff | null; reason: string },
): Decision<{ readonly signOff: SignOff }> {
  const permitted = decidePermission(actor, 'sign-off.reopen');
  if (!permitted.granted) return { ok: false, why: permitted.why };
  if (signOff === null) return { ok: false, why: `${period} is not signed` };
  if (reason.trim() === '') return { ok: false, why: 'reopening needs a reason' };
  return { ok: true, signOff };
}
