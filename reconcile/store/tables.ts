// The tables this room owns, as Kysely sees them. bigint and numeric arrive as strings. Nobody else writes them.

import type { Generated, JSONColumnType } from 'kysely';
import type { ControlTables } from './control-tables.ts';
import type { WebhookTables } from '../webhooks/tables.ts';
import type { RepairTables } from './repair-tables.ts';

export type AccountState = 'open' | 'billed' | 'held' | 'missing' | 'failed';

type Json<T extends object> = JSONColumnType<T>;

export type ReconcileTables = ControlTables &
  RepairTables &
  WebhookTables & {
    reconcile_runs: {
      run: string;
      period: string;
      opened_at: Date;
      batches: number;
      barrier: JSONColumnType<string[], string | null, string | null> | null;
      digest: string | null;
      closed_events: string | null;
      late_barrier: JSONColumnType<string[], string | null, string | null> | null;
      code_version: string;
      report: string | null;
      report_hash: string | null;
      evidence_hash: string | null;
      revision: Generated<number>;
      supersedes: string | null;
      why: string | null;
      pins: string | null;
      period_evidence: JSONColumnType<string[], string | undefined>;
    };
    run_accounts: {
      run: string;
      account: string;
      batch: number;
      currency: string;
      plan_id: string;
      state: AccountState;
      reasons: Json<string[]>;
      usage_minor: string | null;
      fee_minor: string | null;
      summaries: Json<Record<string, string>>;
      invoices: Json<{ id: string; draft: boolean }[]>;
      invoice_number: string | null;
      invoice_status: string | null;
      invoiced_minor: string | null;
      line_minor: string | null;
      expected_minor: string | null;
      following_minor: string | null;
      due_minor: string | null;
      paid_minor: string | null;
      waiting_minor: string | null;
      evidence: Json<string[]>;
    };
    rated_lines: {
      run: string;
      account: string;
      meter: string;
      part_start: Date;
      tier: number;
      price_id: string;
      quantity: string;
      unit_amount: string;
      amount_minor: string;
    };
    meter_pushes: { customer: string; meter: string; hour: Date; quantity: string };
    breaks: {
      run: string;
      code: string;
      account: string;
      meter: string;
      stage: string;
      leg_group: 'invoice' | 'period';
      amount_minor: string;
      currency: string;
      hours: Json<number[]>;
      expected: string;
      actual: string;
      resolution: string;
      status: string;
      broke_at: Date;
      evidence: Json<string[]>;
    };
    evidence: { hash: string; kind: string; body: string };
  };
