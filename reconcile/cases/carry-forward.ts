// Carries the cases of a period through a run: the decision is carry.ts, this reads and writes. One transaction; run again
// for the same run after any death, it changes nothing more.

import { CLOSE_PROCESS } from '../../domain/contracts/permissions.ts';
import { parseCurrency } from '../../domain/money.ts';
import { inAuditedTransaction, type ReconcileTx } from '../audit-log/log.ts';
import { computeMateriality } from '../compare/tolerance.ts';
import { fetchBreaks } from '../store/breaks.ts';
import type { ReconcileDb } from '../store/db.ts';
import { fetchRun, fetchRunAccounts, type RunAccount } from '../store/runs.ts';
import { appendCaseEvents, fetchCases, recordCaseEvent, type Case } from './book.ts';
import { computeCarry, type NewCase } from './carry.ts';
import { computeDueMs, computeSeverity } from './policy.ts';

const ROWS_PER_INSERT = 1000;

/** Opens, changes, reopens and closes cases by what `run` found. To be called when all its breaks are stored. */
export async function carryCasesForward(db: ReconcileDb, run: string, nowMs: number): Promise<void> {
  await inAuditedTransaction(db, async (tx) => {
    const { period } = await fetchRun(tx, run);
    const cases = await fetchCases(tx, { period });
    const materialOf = toMateriality(await fetchRunAccounts(tx, run));
    const carry = computeCarry({ run, period }, await fetchBreaks(tx, run), cases);
    for (let from = 0; from < carry.opened.length; from += ROWS_PER_INSERT) {
      await openCases(tx, carry.opened.slice(from, from + ROWS_PER_INSERT), { run, nowMs, materialOf });
    }
    for (const { caseId, event } of carry.events) {
      await recordCaseEvent(tx, CLOSE_PROCESS, { caseId, event, atMs: nowMs });
    }
    await updateSeverities(tx, await fetchCases(tx, { period }), { nowMs, materialOf });
    const seen = tx.updateTable('cases').set({ last_run: run });
    await seen.where('period', '=', period).where('last_run', '<>', run).execute();
  });
}

type MaterialOf = (of: { readonly account: string; readonly currency: string }) => bigint;

/** What is material to an account goes by its invoice: the larger of what was charged and what should have been. */
function toMateriality(members: readonly RunAccount[]): MaterialOf {
  const invoices = new Map(
    members.map(({ account, compared, rated, invoice }) => {
      const expected = compared?.expectedMinor ?? (rated === null ? 0n : rated.usageMinor + rated.feeMinor);
      const charged = invoice?.totalMinor ?? 0n;
      return [account, expected > charged ? expected : charged];
    }),
  );
  return ({ account, currency }) => computeMateriality(parseCurrency(currency), invoices.get(account) ?? 0n);
}

async function openCases(
  tx: ReconcileTx,
  opened: readonly NewCase[],
  { run, nowMs, materialOf }: { readonly run: string; readonly nowMs: number; readonly materialOf: MaterialOf },
): Promise<void> {
  const at = new Date(nowMs);
  const rows = opened.map(({ caseId, meter, amountMinor, ...key }) => {
    const severity = computeSeverity(amountMinor, 0, materialOf(key));
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
async function updateSeverities(
  tx: ReconcileTx,
  cases: readonly Case[],
  { nowMs, materialOf }: { readonly nowMs: number; readonly materialOf: MaterialOf },
): Promise<void> {
  for (const one of cases) {
    const { caseId, amountMinor, openedAtMs, severity: before } = one;
    const severity = computeSeverity(amountMinor, nowMs - openedAtMs, materialOf(one));
    if (severity === before) continue;
    const due_at = new Date(computeDueMs(severity, openedAtMs));
    await tx.updateTable('cases').set({ severity, due_at }).where('case_id', '=', caseId).execute();
  }
}
