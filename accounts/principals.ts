// The typed door to principals and their API keys. A key is shown once, when it is made; afterwards only its hash is known.
// Two keys of one source may hold at the same time, so that a rotation needs no moment without a valid key.

import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import { TrueupError } from '../domain/contracts/errors.ts';
import type { Postgres } from '../platform/postgres.ts';
import { createKeyId, createKeyText, hashKeyText, startOf, type KeyEnv } from './api-key.ts';

export type PrincipalTables = {
  accounts: { id: string; currency: string; created_at: Date };
  principals: { id: string; kind: 'source'; created_at: Date };
  api_keys: {
    id: string;
    principal_id: string;
    hash: Buffer;
    start: string;
    all_accounts: boolean;
    events_per_second: number;
    created_at: Date;
    expires_at: Date | null;
    revoked_at: Date | null;
  };
  api_key_accounts: { key_id: string; account_id: string };
};

export type ApiKey = {
  readonly id: string;
  readonly source: string;
  readonly start: string;
  /** The accounts it may write for; `all` includes accounts registered later. */
  readonly accounts: 'all' | readonly string[];
  readonly eventsPerSecond: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
};

export type KeyRequest = {
  readonly env: KeyEnv;
  readonly source: string;
  readonly accounts: 'all' | readonly string[];
  readonly eventsPerSecond: number;
  readonly nowMs: number;
  readonly expiresAtMs?: number | undefined;
};

export type KeyCreation =
  | { readonly created: true; readonly id: string; readonly text: string }
  | { readonly created: false; readonly unknownAccounts: readonly string[] };

export type Principals = {
  /** Makes a key. The answer is the only place its text ever appears. Refused if an account is not registered. */
  createKey(request: KeyRequest): Promise<KeyCreation>;
  /** A new key of the same source and accounts; the old one expires at `oldExpiresAtMs` at the latest. */
  rotateKey(
    id: string,
    oldExpiresAtMs: number,
    request: Pick<KeyRequest, 'env' | 'nowMs'>,
  ): Promise<KeyCreation | undefined>;
  /** False if there is no such key. Revoking twice keeps the first instant. */
  revokeKey(id: string, nowMs: number): Promise<boolean>;
  /** Every key, newest first, whatever its state. */
  fetchKeys(): Promise<ApiKey[]>;
  fetchKeyByHash(hash: Buffer): Promise<ApiKey | undefined>;
  /** Which of the accounts are registered, and since when (epoch ms). */
  fetchRegistered(accounts: readonly string[]): Promise<Map<string, number>>;
  /** Throws `unavailable` while the tables are not there yet. */
  checkTables(): Promise<void>;
};

export function createPrincipals(db: Postgres<PrincipalTables>): Principals {
  return {
    createKey: async (request) => createKey(db, request),
    rotateKey: async (id, oldExpiresAtMs, request) => rotateKey(db, { id, oldExpiresAtMs }, request),
    revokeKey: async (id, nowMs) => {
      const revoked_at = sql<Date>`coalesce(revoked_at, ${new Date(nowMs)})`;
      const rows = await db.updateTable('api_keys').set({ revoked_at }).where('id', '=', id).returning('id').execute();
      return rows.length > 0;
    },
    fetchKeys: async () =>
      toKeys(db, await db.selectFrom('api_keys').selectAll().orderBy('created_at', 'desc').execute()),
    fetchKeyByHash: async (hash) => {
      const rows = await db.selectFrom('api_keys').selectAll().where('hash', '=', hash).execute();
      return (await toKeys(db, rows))[0];
    },
    fetchRegistered: async (accounts) => fetchRegistered(db, accounts),
    checkTables: async () => {
      const { rows } = await sql<{ there: boolean }>`SELECT to_regclass('api_keys') IS NOT NULL AS there`.execute(db);
      if (rows[0]?.there === true) return;
      throw new TrueupError({
        kind: 'unavailable',
        code: 'POSTGRES_UNAVAILABLE',
        message: 'the table api_keys does not exist yet',
        next: 'start ingest/main.ts, which brings the schema up to date',
      });
    },
  };
}

async function createKey(db: Postgres<PrincipalTables>, request: KeyRequest): Promise<KeyCreation> {
  const { source, accounts, nowMs } = request;
  const named = accounts === 'all' ? [] : [...new Set(accounts)];
  const registered = await fetchRegistered(db, named);
  const unknownAccounts = named.filter((account) => !registered.has(account));
  if (unknownAccounts.length > 0) return { created: false, unknownAccounts };
  const [id, text, created_at] = [createKeyId(), createKeyText(request.env), new Date(nowMs)];
  await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('principals')
      .values({ id: source, kind: 'source', created_at })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await tx
      .insertInto('api_keys')
      .values({
        id,
        principal_id: source,
        hash: hashKeyText(text),
        start: startOf(text),
        all_accounts: accounts === 'all',
        events_per_second: request.eventsPerSecond,
        created_at,
        expires_at: request.expiresAtMs === undefined ? null : new Date(request.expiresAtMs),
        revoked_at: null,
      })
      .execute();
    if (named.length === 0) return;
    const rows = named.map((account_id) => ({ key_id: id, account_id }));
    await tx.insertInto('api_key_accounts').values(rows).execute();
  });
  return { created: true, id, text };
}

async function rotateKey(
  db: Postgres<PrincipalTables>,
  { id, oldExpiresAtMs }: { id: string; oldExpiresAtMs: number },
  request: Pick<KeyRequest, 'env' | 'nowMs'>,
): Promise<KeyCreation | undefined> {
  const rows = await db
    .selectFrom('api_keys')
    .selectAll()
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .execute();
  const old = (await toKeys(db, rows))[0];
  if (old === undefined) return undefined;
  const { source, accounts, eventsPerSecond } = old;
  const created = await createKey(db, { ...request, source, accounts, eventsPerSecond });
  // The new key first: a crash in between leaves both valid, never neither.
  const expires_at = sql<Date>`least(expires_at, ${new Date(oldExpiresAtMs)})`;
  await db.updateTable('api_keys').set({ expires_at }).where('id', '=', id).execute();
  return created;
}

async function fetchRegistered(
  db: Postgres<PrincipalTables>,
  accounts: readonly string[],
): Promise<Map<string, number>> {
  if (accounts.length === 0) return new Map();
  const rows = await db.selectFrom('accounts').select(['id', 'created_at']).where('id', 'in', accounts).execute();
  return new Map(rows.map((row) => [row.id, row.created_at.getTime()]));
}

async function toKeys(
  db: Postgres<PrincipalTables>,
  rows: Selectable<PrincipalTables['api_keys']>[],
): Promise<ApiKey[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const scopes = await db.selectFrom('api_key_accounts').selectAll().where('key_id', 'in', ids).execute();
  const accountsOf = Map.groupBy(scopes, ({ key_id }) => key_id);
  return rows.map((row) => ({
    id: row.id,
    source: row.principal_id,
    start: row.start,
    accounts: row.all_accounts ? 'all' : (accountsOf.get(row.id) ?? []).map(({ account_id }) => account_id).sort(),
    eventsPerSecond: row.events_per_second,
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at?.getTime(),
    revokedAtMs: row.revoked_at?.getTime(),
  }));
}
