// The tables of repairs, as Kysely sees them. Writer: repairs/book.ts.

import type { RepairKind } from '../../domain/contracts/break-codes.ts';

export type RepairState = 'planned' | 'approved' | 'applying' | 'applied' | 'verified' | 'dropped';

export type RepairTables = {
  bulk_corrections: {
    bulk_id: string;
    period: string;
    selection: string;
    reason: string;
    planned_by: string;
    planned_at: Date;
  };
  repairs: {
    repair_id: string;
    case_id: string;
    bulk_id: string | null;
    period: string;
    account: string;
    code: string;
    meter: string;
    currency: string;
    kind: RepairKind;
    state: RepairState;
    plan: string;
    plan_hash: string;
    amount_minor: string;
    planned_by: string;
    planned_at: Date;
    approved_by: string | null;
    approved_at: Date | null;
    applied_by: string | null;
    applying_at: Date | null;
    verified_at: Date | null;
    problem: string | null;
    dropped_by: string | null;
    dropped_at: Date | null;
    dropped_reason: string | null;
  };
  repair_steps: {
    repair_id: string;
    ordinal: number;
    action: string;
    effect: string | null;
    done_at: Date | null;
  };
};
