// Carries an approved repair out. The state stands in Postgres, the effects at the biller; every step is done at the biller
// first and recorded afterwards, and every effect is found again by the repair's id, so whoever dies where, the next attempt
// does what is left and nothing twice. Two appliers at once do the same harmless thing.

import { TrueupError } from '../../domain/contracts/errors.ts';
import type { Actor } from '../../domain/contracts/permissions.ts';
import { parsePeriod } from '../../domain/period.ts';
import type { Clock } from '../../platform/clock.ts';
import { retryUnavailable } from '../../platform/retry.ts';
import type { Billing, CustomerRef } from '../billing/port.ts';
import { fetchHolds } from '../holds/book.ts';
import { computeHolds, formatHold } from '../holds/compute.ts';
import { checkUnlocked } from '../sign-off/book.ts';
import type { ReconcileDb } from '../store/db.ts';
import { recordPushed } from '../store/pushes.ts';
import { recordBegun, recordOutcome, recordStep, requirePermission } from './book.ts';
import { computeStanding, findMoved } from './standing.ts';
import type { RepairStep } from './steps.ts';
import { fetchRepair, type Repair } from './stored.ts';
import { findProblems } from './verify.ts';

export type RepairDeps = {
  readonly db: ReconcileDb;
  readonly billing: Billing;
  readonly clock: Clock;
  /** Machine time for which what is `unavailable` is tried again before the repair is left for the next attempt. */
  readonly waitMs: number;
  /** What is still wrong, compared afresh; the repair holds when nothing is. */
  readonly recompute?: (repair: Repair) => Promise<bigint>;
};

/**
 * Applies a repair, or goes on with one that was begun, and reads it back. Resolves with where it stands then: `verified`,
 * or `applied` with a problem. Throws `conflict` REPAIR_STALE when the biller changed since the plan, `rejected`
 * PERIOD_LOCKED when the period was signed meanwhile, and `unavailable` when it has to be tried again.
 */
export async function applyRepair(deps: RepairDeps, actor: Actor, repairId: string): Promise<Repair> {
  requirePermission(actor, 'repair.apply');
  const repair = await fetchRepair(deps.db, repairId);
  if (repair.state === 'verified') return repair;
  await checkUnlocked(deps.db, repair.plan.period);
  if (repair.state === 'approved') await requireUnmoved(deps, repair);
  await recordBegun(deps.db, actor, { repairId, atMs: await deps.clock.now() });
  for (const [ordinal, step] of repair.plan.steps.entries()) {
    if ((repair.effects[ordinal] ?? null) !== null) continue;
    const effect = await patiently(deps, async () => performStep(deps, repair, step));
    await recordStep(deps.db, actor, { repairId, ordinal, effect, atMs: await deps.clock.now() });
  }
  const done = await fetchRepair(deps.db, repairId);
  const problems = await patiently(deps, async () => findProblems(deps.billing, done));
  const left = problems.length > 0 ? 0n : ((await deps.recompute?.(done)) ?? 0n);
  const problem = left === 0n ? problems.join('; ') : `compared again, ${left} minor units are still wrong`;
  await recordOutcome(deps.db, actor, {
    repairId,
    problem: problem === '' ? null : problem,
    atMs: await deps.clock.now(),
  });
  return fetchRepair(deps.db, repairId);
}

/** A plan is good for what it was made of; only before the first step, because after it the change may be our own. */
async function requireUnmoved({ billing }: RepairDeps, { repairId, plan }: Repair): Promise<void> {
  const held = await billing.fetchAccountBilling(toRef(plan), parsePeriod(plan.period));
  const moved = findMoved(plan.before, computeStanding(held));
  if (moved.length === 0) return;
  throw new TrueupError({
    kind: 'conflict',
    code: 'REPAIR_STALE',
    message: `since ${repairId} was planned: ${moved.join('; ')}`,
    next: 'drop it and plan it again',
  });
}

async function patiently<T>({ waitMs }: RepairDeps, work: () => Promise<T>): Promise<T> {
  return retryUnavailable(work, { signal: AbortSignal.timeout(waitMs) });
}

function toRef({ account, customer }: Repair['plan']): CustomerRef {
  return { account, customer };
}

/** Does one step, which may have been done before, and returns the id of what it left. */
async function performStep(deps: RepairDeps, repair: Repair, step: RepairStep): Promise<string> {
  const { billing } = deps;
  const { plan, repairId } = repair;
  const corrects = { caseId: plan.caseId, repair: repairId };
  const shared = { ...corrects, ref: toRef(plan), period: parsePeriod(plan.period), currency: plan.currency };
  switch (step.action) {
    case 'resend_hours':
      return resendHours(deps, repair, step);
    case 'add_item':
      return billing.addItem({ ...shared, ...step, amountMinor: BigInt(step.amountMinor) });
    case 'credit':
      return billing.creditInvoice({ ...corrects, ...step, amountMinor: BigInt(step.amountMinor) });
    case 'void':
      await billing.voidInvoice(step.invoice, plan.caseId);
      break;
    case 'issue': {
      const items = step.items.map((item) => ({ ...item, amountMinor: BigInt(item.amountMinor) }));
      return billing.issueInvoice({ ...shared, items, replaces: step.replaces });
    }
    case 'finalize':
      await requireFree(deps, plan.account, 'finalization');
      await billing.finalize(step.invoice);
      break;
    case 'mark_uncollectible':
      await billing.markUncollectible(step.invoice, plan.caseId);
  }
  return step.invoice;
}

/** Done only when the biller's own total says so: what comes next finalizes by it. */
async function resendHours(
  deps: RepairDeps,
  { plan }: Repair,
  { meter, hours, total }: Extract<RepairStep, { action: 'resend_hours' }>,
): Promise<string> {
  const { billing, db, clock } = deps;
  await requireFree(deps, plan.account, 'pushes');
  const ref = toRef(plan);
  const values = hours.map(({ hourAtMs, quantity }) => ({ meter, hourAtMs, quantity: BigInt(quantity) }));
  const period = parsePeriod(plan.period);
  if ((await billing.fetchSummary(ref, meter, period)) !== BigInt(total)) {
    await billing.pushHours(ref, values, await clock.now());
    await recordPushed(db, ref.customer, values);
  }
  const summary = await billing.fetchSummary(ref, meter, period);
  if (summary !== BigInt(total)) {
    throw new TrueupError({
      kind: 'unavailable',
      code: 'SUMMARY_NOT_READY',
      message: `Stripe reads ${summary} of ${meter} for ${plan.account} in ${plan.period}, sent were ${total}`,
      next: "wait for Stripe to count; when it doesn't, drop nothing and look at the meter's errors",
    });
  }
  return `${meter}:${total}`;
}

/** A hold stops a repair like it stops a close. */
async function requireFree({ db, clock }: RepairDeps, account: string, kind: 'pushes' | 'finalization'): Promise<void> {
  const nowMs = await clock.now();
  const holds = computeHolds(await fetchHolds(db, nowMs), { account, kind, nowMs });
  if (holds.length === 0) return;
  throw new TrueupError({
    kind: 'conflict',
    code: 'HOLD_STATE',
    message: `${account} is held: ${holds.map(formatHold).join('; ')}`,
    next: 'release the hold, then apply the repair again',
  });
}
