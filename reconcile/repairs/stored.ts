// Stored repairs, as everybody reads them. Reads only.

import { sql, type Selectable } from 'kysely';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { parseCurrency } from '../../domain/money.ts';
import type { ReconcileDb } from '../store/db.ts';
import type { RepairState, RepairTables } from '../store/repair-tables.ts';
import type { RepairPlan } from './plan.ts';

export type Repair = {
  readonly repairId: string;
  readonly bulkId: string | null;
  readonly state: RepairState;
  readonly plan: RepairPlan;
  readonly planHash: string;
  readonly plannedBy: string;
  readonly plannedAtMs: number;
  readonly approvedBy: string | null;
  /** Ids of what the steps left at the biller; null for what is still to be done. */
  readonly effects: readonly (string | null)[];
  readonly problem: string | null;
};

/** Throws `rejected` REPAIR_UNKNOWN. */
export async function fetchRepair(db: ReconcileDb, repairId: string): Promise<Repair> {
  const [found] = await fetchRepairs(db, { repairId });
  if (found === undefined) {
    const next = 'see trueup repair list';
    throw new TrueupError({
      kind: 'rejected',
      code: 'REPAIR_UNKNOWN',
      message: `there is no repair ${repairId}`,
      next,
    });
  }
  return found;
}

export type RepairFilter = {
  readonly repairId?: string;
  readonly period?: string;
  readonly account?: string;
  readonly bulkId?: string;
};

/** By id. */
export async function fetchRepairs(db: ReconcileDb, filter: RepairFilter): Promise<Repair[]> {
  let query = db.selectFrom('repairs').selectAll().orderBy('repair_id');
  if (filter.repairId !== undefined) query = query.where('repair_id', '=', filter.repairId);
  if (filter.period !== undefined) query = query.where('period', '=', filter.period);
  if (filter.account !== undefined) query = query.where('account', '=', filter.account);
  if (filter.bulkId !== undefined) query = query.where('bulk_id', '=', filter.bulkId);
  const rows = await query.execute();
  if (rows.length === 0) return [];
  const ids = rows.map(({ repair_id: id }) => id);
  const steps = await db
    .selectFrom('repair_steps')
    .selectAll()
    .where(sql<boolean>`repair_id = ANY (${ids}::text[])`)
    .orderBy('ordinal')
    .execute();
  const byRepair = Map.groupBy(steps, ({ repair_id: id }) => id);
  return rows.map((row) => fromRow(row, byRepair.get(row.repair_id)?.map(({ effect }) => effect) ?? []));
}

function fromRow(row: Selectable<RepairTables['repairs']>, effects: (string | null)[]): Repair {
  return {
    repairId: row.repair_id,
    bulkId: row.bulk_id,
    state: row.state,
    plan: { ...(JSON.parse(row.plan) as RepairPlan), currency: parseCurrency(row.currency) },
    planHash: row.plan_hash,
    plannedBy: row.planned_by,
    plannedAtMs: row.planned_at.getTime(),
    approvedBy: row.approved_by,
    effects,
    problem: row.problem,
  };
}
