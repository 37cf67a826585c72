// Postgres through Kysely. Each room declares the tables it owns as a Kysely interface and opens its own typed view of
// the one database. bigint and numeric columns arrive as strings and are converted at the door that reads them.
// A server that is away or overloaded shows as `unavailable`; every other error passes as it is.

import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import pg from 'pg';
import { TrueupError } from '../domain/contracts/errors.ts';

export type Postgres<Tables> = Kysely<Tables>;

export function createPostgres<Tables>(url: string, connectionsMax = 8): Kysely<Tables> {
  const pool = new pg.Pool({ connectionString: url, max: connectionsMax, application_name: 'trueup' });
  // An idle connection that breaks (server restart) must not take the process down; the next query reconnects.
  pool.on('error', () => undefined);
  // Nor one that breaks while it is lent out and idle between two statements: the next statement on it fails by itself.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: translatingPool(pool) }) });
}

/** Every way a statement can fail on its way to the server and back goes through translatePostgres. */
function translatingPool(pool: pg.Pool): PostgresPool {
  return {
    options: {},
    connect: async () => {
      const client = await translatePostgres(async () => pool.connect());
      return new Proxy(client, {
        get: (target, property) => {
          const value: unknown = Reflect.get(target, property, target);
          if (typeof value !== 'function') return value;
          const call = value as (...args: unknown[]) => unknown;
          if (property !== 'query') return call.bind(target);
          return async (...args: unknown[]) => translatePostgres(async () => call.apply(target, args));
        },
      });
    },
    end: async () => pool.end(),
  };
}

/** SQLSTATE classes after which the same statement may succeed: connection, rollback, resources, operator, system. */
const TRANSIENT_CLASSES = new Set(['08', '40', '53', '57', '58']);
const LOCK_NOT_AVAILABLE = '55P03';

/** An error without SQLSTATE never came from a statement: the connection broke, or there was none. */
export async function translatePostgres<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TrueupError || error instanceof TypeError) throw error;
    const state = 'code' in error && typeof error.code === 'string' && error.code.length === 5 ? error.code : undefined;
    const transient = state === undefined || TRANSIENT_CLASSES.has(state.slice(0, 2)) || state === LOCK_NOT_AVAILABLE;
    if (!transient) throw error;
    throw new TrueupError({
      kind: 'unavailable',
      code: 'POSTGRES_UNAVAILABLE',
      message: `Postgres did not answer: ${error.message}`,
      cause: error,
    });
  }
}
