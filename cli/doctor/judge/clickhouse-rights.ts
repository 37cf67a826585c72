// What the ClickHouse user must be able to do. Pure.

import { ok, problem, unknown, type Finding } from '../finding.ts';

export type ClickHouseGrant = { readonly grant: string; readonly why: string };

/** On everything in our database. */
export const GRANTS: readonly ClickHouseGrant[] = [
  { grant: 'SELECT', why: 'rollups, checks and reports read' },
  { grant: 'INSERT', why: 'the sink and rollups write' },
  { grant: 'ALTER DELETE', why: 'archived months are dropped' },
  { grant: 'CREATE TABLE', why: 'a period is explained from scratch tables, and migrations make tables' },
  { grant: 'DROP TABLE', why: 'scratch tables go again' },
  { grant: 'TRUNCATE', why: 'scratch tables are emptied between steps' },
];

export type ClickHouseRights = {
  /** True when the engine runs inside the process that answers, which has no users. */
  readonly embedded: boolean;
  readonly user: string;
  readonly database: string;
  /** Grants that are held; null when the server can't be asked. */
  readonly held: readonly string[] | null;
};

export function judgeClickHouseRights({ embedded, user, database, held }: ClickHouseRights): Finding[] {
  const check = 'rights';
  if (embedded) {
    const why = 'the embedded engine has no users, so it says nothing about those of a server';
    return [unknown(check, why, 'run this against the server that production uses')];
  }
  if (held === null) {
    const why = 'this server does not know CHECK GRANT';
    return [unknown(check, why, `compare SHOW GRANTS with ${GRANTS.map(({ grant }) => grant).join(', ')}`)];
  }
  const missing = GRANTS.filter(({ grant }) => !held.includes(grant));
  if (missing.length === 0) return [ok(check, `${user} may do what is needed on ${database}`)];
  return missing.map(({ grant, why }) =>
    problem(check, `${user} lacks ${grant} on ${database}: ${why}`, `GRANT ${grant} ON ${database}.* TO ${user}`),
  );
}
