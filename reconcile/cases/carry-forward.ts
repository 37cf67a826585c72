// Carries the cases of a period through a run: the decision is carry.ts, this reads and writes. One transaction; run again
// for the same run after any death, it changes nothing more.

import { CLOSE_PROCESS } from '../../domain/contracts/permissions.ts';
import { parseCurrency } from '../../domain/money.ts';
import { inAuditedTransaction, type ReconcileTx } from '../audit-log/log.ts';
import { computeMateriality } from '../compare/tolerance.ts';
import { fetchBreaks } from '../store/breaks.ts';
import type { ReconcileDb } from '../store/db.ts';
import { fetchRun } from '../store/runs.ts';
import { appendCaseEvents, fetchCases, recordCaseEvent, type Case } from './book.ts';
import { computeCarry, type NewCase } from './carry.ts';
import { computeDueMs, computeSeverity } from './policy.ts';

const ROWS_PER_INSERT = 1000;

/** Opens, changes, reopens and closes cases by what `run` found. To be called when all its breaks are stored. */
export async function carryCasesForward(db: ReconcileDb, run: string, nowMs: number): Promise<void> {
  await inAuditedTransaction(db, async (tx) => {
    const { period } = await fetchRun(tx, run);
    const cases = await fetchCases(tx, { period });
    const carry = computeCarry({ run, period }, await fetchBreaks(tx, run), cases);
    for (let from = 0; from < carry.opened.length; from += ROWS_PER_INSERT) {
      await openCases(tx, carry.opened.slice(from, from + ROWS_PER_INSERT), { run, nowMs });
    }
    for (const { caseId, event } of carry.events) {
      await recordCaseEvent(tx, CLOSE_PROCESS, { caseId, event, atMs: nowMs });
    }
    await updateSeverities(tx, await fetchCases(tx, { period }), nowMs);
    const seen = tx.updateTable('cases').set({ last_run: run });
    await seen.where('period', '=', period).where('last_run', '<>', run).execute();
  });
}

async function openCases(
  tx: ReconcileTx,
  opened: readonly NewCase[],
  { run, nowMs }: { readonly run: string; readonly nowMs: number },
): Promise<void> {
  const at = new Date(nowMs);
  const rows = opened.map(({ caseId, meter, amountMinor, ...key }) => {
    const severity = computeSeverity(amountMinor, 0, computeMateriality(parseCurrency(key.currency), 0n));
    return {
      ...key,
      case_id: caseId,
      meter: meter ?? '',
      state: 'open' as const,
      severity,
      due_at: new Date(computeDueMs(severity, nowMs)),
      amount_minor: amountMinor.toString(),
      opened_at: at,
      first_run: run,
      last_run: run,
    };
  });
  await tx.insertInto('cases').values(rows).execute();
  const events = opened.map(({ caseId, amountMinor }) => ({
    caseId,
    actor: CLOSE_PROCESS,
    atMs: nowMs,
    event: { kind: 'opened', run, amountMinor: amountMinor.toString() } as const,
  }));
  await appendCaseEvents(tx, events);
}

/** How urgent they have become by money and age. */
async function updateSeverities(tx: ReconcileTx, cases: readonly Case[], nowMs: number): Promise<void> {
  for (const { caseId, amountMinor, currency, openedAtMs, severity: before } of cases) {
    const severity = computeSeverity(amountMinor, nowMs - openedAtMs, computeMateriality(parseCurrency(currency), 0n));
    if (severity === before) continue;
    const due_at = new Date(computeDueMs(severity, openedAtMs));
    await tx.updateTable('cases').set({ severity, due_at }).where('case_id', '=', caseId).execute();
  }
}
