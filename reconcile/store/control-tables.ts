// The tables of who did what about a run: the audit log, cases, sign-offs and holds, as Kysely sees them.

import type { Generated, JSONColumnType } from 'kysely';
import type { CaseEvent, CaseState } from '../cases/states.ts';
import type { Severity } from '../cases/policy.ts';

export type ControlTables = {
  audit_log: {
    sequence: string;
    at: string;
    actor: string;
    action: string;
    subject: string;
    details: string;
    prev_hash: string;
    hash: string;
  };
  audit_head: { id: number; sequence: string; hash: string };
  cases: {
    case_id: string;
    period: string;
    account: string;
    code: string;
    meter: string;
    currency: string;
    state: CaseState;
    owner: string | null;
    severity: Severity;
    due_at: Date;
    amount_minor: string;
    reason: string | null;
    opened_at: Date;
    first_run: string;
    last_run: string;
  };
  case_events: { case_id: string; ordinal: number; at: Date; actor: string; event: JSONColumnType<CaseEvent> };
  sign_offs: {
    id: Generated<string>;
    period: string;
    run: string;
    report_hash: string;
    evidence_hash: string;
    cases_hash: string;
    prepared_by: string;
    prepared_at: Date;
    note: string | null;
    prepared_audit_sequence: string;
    prepared_audit_hash: string;
    approved_by: string | null;
    approved_at: Date | null;
    approved_audit_sequence: string | null;
    approved_audit_hash: string | null;
    ended_by: string | null;
    ended_at: Date | null;
    ended_reason: string | null;
  };
  holds: {
    id: Generated<string>;
    account: string | null;
    holds_pushes: boolean;
    holds_finalization: boolean;
    reason: string;
    owner: string;
    held_at: Date;
    expires_at: Date;
    released_at: Date | null;
    released_by: string | null;
    release_reason: string | null;
  };
};
