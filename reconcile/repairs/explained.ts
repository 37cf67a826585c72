// What a comparison has to know about repairs: which cases explain what stands at the biller, what of them was settled
// elsewhere, and what earlier periods put on this one's invoice. Reads only.

import { BREAK_CODES, type BreakCode } from '../../domain/contracts/break-codes.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import { parsePeriod, type Period } from '../../domain/period.ts';
import type { Adjustment } from '../../domain/rating-invoice.ts';
import type { KnownCase } from '../compare/sides.ts';
import type { ReconcileDb } from '../store/db.ts';
import { fetchRepairs, type Repair } from './stored.ts';

type Of = { readonly period: Period; readonly account: string };

/** A bulk correction has no break; it counts among the codes of a quantity that was charged and should not have been. */
const BULK_CODE: BreakCode = 'QTY_MISMATCH';

/** Every case of an account and period, bulk corrections among them, with what repairs that hold have settled elsewhere. */
export async function fetchKnownCases(db: ReconcileDb, { period, account }: Of): Promise<KnownCase[]> {
  const rows = await db
    .selectFrom('cases')
    .select(['case_id', 'code', 'meter'])
    .where('period', '=', period.key)
    .where('account', '=', account)
    .orderBy('case_id')
    .execute();
  const repairs = await fetchRepairs(db, { period: period.key, account });
  const settled = Map.groupBy(repairs, ({ plan }) => plan.caseId);
  const settledMinor = (caseId: string) =>
    (settled.get(caseId) ?? []).reduce((sum, repair) => sum + settledElsewhere(repair), 0n);
  const cases = rows.flatMap(({ case_id: id, code, meter }): KnownCase[] => {
    const known = BREAK_CODES.find((one) => one === code);
    const of = METERS.find((one) => one === meter) ?? null;
    return known === undefined ? [] : [{ id, code: known, meter: of, settledMinor: settledMinor(id) }];
  });
  const bulk = new Set(repairs.filter(({ bulkId }) => bulkId !== null).map(({ plan }) => plan.caseId));
  const corrected = [...bulk].map((id) => ({ id, code: BULK_CODE, meter: null, settledMinor: settledMinor(id) }));
  return [...cases, ...corrected];
}

/**
 * Signed as the break. What stands on the period's own invoice, as an item, a credit note or another invoice, settles by
 * itself. A bulk correction changes what is owed and not what was compared, so what it put there is taken out again.
 */
function settledElsewhere({ state, bulkId, plan }: Repair): bigint {
  if (state !== 'verified') return 0n;
  const onNextInvoice = plan.kind === 'next_period';
  if (bulkId !== null) return onNextInvoice ? 0n : -BigInt(plan.amountMinor);
  if (plan.kind === 'write_off') return BigInt(plan.breakMinor);
  return onNextInvoice ? BigInt(plan.amountMinor) : 0n;
}

/** Settled of a break that is told over the period as a whole, signed as the break. */
export type Settled = {
  readonly code: BreakCode;
  readonly account: string;
  readonly meter: MeterName | null;
  readonly amountMinor: bigint;
};

/** What repairs that hold have settled of a period, wherever they did, by break. */
export async function fetchSettled(db: ReconcileDb, period: Period): Promise<Settled[]> {
  const repairs = await fetchRepairs(db, { period: period.key });
  return repairs.flatMap(({ state, bulkId, plan: { code, account, meter, breakMinor } }) =>
    state !== 'verified' || bulkId !== null || code === 'BULK_CORRECTION'
      ? []
      : [{ code, account, meter, amountMinor: BigInt(breakMinor) }],
  );
}

/** What repairs of earlier periods put aside for the invoice of this one, each with a pointer back. */
export async function fetchCarriedOver(db: ReconcileDb, { period, account }: Of): Promise<Adjustment[]> {
  const rows = await db
    .selectFrom('repairs')
    .innerJoin('repair_steps', 'repair_steps.repair_id', 'repairs.repair_id')
    .select('repairs.repair_id')
    .where('account', '=', account)
    .where('kind', '=', 'next_period')
    // The cycle that ends next takes up what waits when it ends.
    .where('done_at', '>=', new Date(period.startAtMs))
    .where('done_at', '<', new Date(period.endAtMs))
    .orderBy('repairs.repair_id')
    .execute();
  const here = new Set(rows.map(({ repair_id: id }) => id));
  const repairs = here.size === 0 ? [] : await fetchRepairs(db, { account });
  return repairs
    .filter(({ repairId }) => here.has(repairId))
    .map(({ plan }) => {
      const { startAtMs, endAtMs } = parsePeriod(plan.period);
      return { caseId: plan.caseId, meter: plan.meter, startAtMs, endAtMs, amountMinor: BigInt(plan.amountMinor) };
    });
}

/** Those of the accounts that have a case or a repair, of any period. */
export async function fetchExplainedAccounts(
  db: ReconcileDb,
  accounts: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('cases')
    .select('account')
    .where('account', 'in', [...accounts])
    .union(
      db
        .selectFrom('repairs')
        .select('account')
        .where('account', 'in', [...accounts]),
    )
    .execute();
  return new Set(rows.map(({ account }) => account));
}
