// What the Postgres role must be able to do for each room, and what it must not: the audit log is written once. Pure.

import { ok, problem, trap, type Finding } from '../finding.ts';

/** Rights by table, as letters of Postgres' own access lists: r SELECT, a INSERT, w UPDATE (or a row lock), d DELETE. */
export const NEEDED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  platform: { schema_files: 'r', business_clock: 'raw', processes: 'rawd' },
  accounts: {
    accounts: 'raw',
    namespaces: 'ra',
    stripe_ids: 'raw',
    principals: 'raw',
    principal_roles: 'rad',
    api_keys: 'raw',
    api_key_accounts: 'ra',
    account_plans: 'ra',
    account_standings: 'ra',
    account_discounts: 'ra',
    account_taxes: 'ra',
    account_commitments: 'ra',
    contract_prices: 'ra',
    contract_fees: 'ra',
    credit_grants: 'ra',
    credit_uses: 'rad',
  },
  ingest: { ingest_blocks: 'rawd', log_layout: 'ra', reject_replays: 'raw' },
  aggregate: {
    periods: 'raw',
    period_adjustments: 'ra',
    adjustment_runs: 'ra',
    period_archives: 'raw',
    integrity_findings: 'raw',
    part_restorations: 'raw',
    tenant_pins: 'rad',
    rollup_shards: 'rawd',
    rollup_shards_done: 'rad',
  },
  reconcile: {
    reconcile_runs: 'raw',
    run_accounts: 'raw',
    rated_lines: 'rawd',
    meter_pushes: 'rawd',
    breaks: 'rad',
    evidence: 'ra',
    audit_log: 'ra',
    audit_head: 'rw',
    cases: 'raw',
    case_events: 'ra',
    sign_offs: 'raw',
    holds: 'raw',
    repairs: 'raw',
    repair_steps: 'raw',
    bulk_corrections: 'raw',
    stripe_events: 'raw',
    stripe_refetches: 'raw',
    stripe_sweeps: 'raw',
    meter_errors: 'ra',
  },
};

export type PostgresRights = {
  readonly role: string;
  readonly isSuperuser: boolean;
  readonly mayCreate: boolean;
  readonly mayCountRuns: boolean;
  /** Of the tables that exist; also T for TRUNCATE. */
  readonly tables: ReadonlyMap<string, string>;
  /** Triggers on the audit log that are switched on. */
  readonly auditTriggers: readonly string[];
  readonly ownsAuditLog: boolean;
};

export type RightsNeeds = { readonly live: boolean; readonly migrates: boolean };

export function judgePostgresRights(rights: PostgresRights, needs: RightsNeeds): Finding[] {
  const rooms = Object.entries(NEEDED).map(([room, tables]) => judgeRoom(room, tables, rights));
  return [...rooms, judgeRuns(rights), judgeCreating(rights, needs), ...judgeAuditLog(rights, needs)];
}

const WORDS: Readonly<Record<string, string>> = { r: 'SELECT', a: 'INSERT', w: 'UPDATE', d: 'DELETE', T: 'TRUNCATE' };

const toWords = (letters: readonly string[]) => letters.map((letter) => WORDS[letter] ?? letter).join(', ');

function judgeRoom(room: string, needed: Readonly<Record<string, string>>, { role, tables }: PostgresRights): Finding {
  const check = `rights for ${room}`;
  const lacks = Object.entries(needed).flatMap(([table, letters]) => {
    const held = tables.get(table);
    // A table that is not there is a matter of migrations.
    const missing = held === undefined ? [] : letters.split('').filter((letter) => !held.includes(letter));
    return missing.length === 0 ? [] : [{ table, missing }];
  });
  const [first] = lacks;
  if (first === undefined) return ok(check, `${role} may do what it needs`);
  const says = `${role} lacks ${lacks.map(({ table, missing }) => `${toWords(missing)} on ${table}`).join('; ')}`;
  return problem(check, says, `as the tables' owner: GRANT ${toWords(first.missing)} ON ${first.table} TO ${role}`);
}

function judgeRuns({ role, mayCountRuns }: PostgresRights): Finding {
  const check = 'rights for run numbers';
  if (mayCountRuns) return ok(check, `${role} may count them`);
  const says = `${role} lacks USAGE or SELECT on the sequences rollup_runs and rollup_disturbances`;
  return problem(
    check,
    says,
    `as its owner: GRANT USAGE, SELECT, UPDATE ON SEQUENCE rollup_runs, rollup_disturbances TO ${role}`,
  );
}

function judgeCreating({ role, mayCreate }: PostgresRights, { migrates }: RightsNeeds): Finding {
  const check = 'rights to migrate';
  if (mayCreate || !migrates)
    return ok(check, migrates ? `${role} may create tables` : 'not needed: TRUEUP_MIGRATE=no');
  const next = 'set TRUEUP_MIGRATE=no and run "trueup migrate" as a role that may, or GRANT CREATE ON SCHEMA public';
  return problem(check, `${role} may not create tables, and processes migrate`, next);
}

/** Both triggers that refuse, and the one that keeps the chain. */
const TRIGGERS = ['audit_log_extends_chain', 'audit_log_is_append_only', 'audit_log_is_kept'];

function judgeAuditLog(rights: PostgresRights, { live }: RightsNeeds): Finding[] {
  const check = 'audit log';
  const { role, tables, auditTriggers, isSuperuser, ownsAuditLog } = rights;
  const held = tables.get('audit_log');
  if (held === undefined) return [];
  const off = TRIGGERS.filter((name) => !auditTriggers.includes(name));
  const findings: Finding[] = [];
  if (off.length > 0) {
    const says = `${off.join(', ')} on audit_log does not fire: entries can be changed`;
    findings.push(problem(check, says, 'ALTER TABLE audit_log ENABLE TRIGGER ALL, then run "trueup audit-log verify"'));
  }
  const another = 'connect as a role of its own, which neither is a superuser nor owns the tables';
  if (isSuperuser) {
    findings.push(trap(live, check, `${role} is a superuser: it can switch off what protects the audit log`, another));
  } else {
    const change = ['w', 'd', 'T'].filter((letter) => held.includes(letter));
    if (change.length > 0) {
      const revoke = `REVOKE ${toWords(change)} ON audit_log FROM ${role}`;
      findings.push(problem(check, `${role} holds ${toWords(change)} on audit_log`, revoke));
    }
    if (ownsAuditLog) {
      const says = `${role} owns audit_log and can give itself back what was taken from it`;
      findings.push(trap(live, check, says, another));
    }
  }
  return findings.length > 0 ? findings : [ok(check, `${role} can add to it and not change it`)];
}
