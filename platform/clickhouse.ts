// The ClickHouse client and its one way of running .sql files. Failures come out as `unavailable` (worth retrying) or
// `rejected` (the statement can't work), by status and code, never by message text.

import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { ClickHouseError, ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { TrueupError } from '../domain/contracts/errors.ts';

export type ClickHouseOptions = {
  readonly url: string;
  readonly database: string;
  /** Requests in flight; more wait in the client. */
  readonly connectionsMax?: number;
  readonly requestTimeoutMs?: number;
};

export type QueryParameters = Readonly<Record<string, unknown>>;

export type ClickHouse = {
  readonly client: ClickHouseClient;
  /** Rows of a SELECT as objects; 64-bit and wider integers and decimals arrive as strings. */
  query<Row>(sql: string, parameters?: QueryParameters): Promise<Row[]>;
  /** DDL, INSERT … SELECT, mutations. Resolves when the engine has answered. */
  command(sql: string, parameters?: QueryParameters): Promise<void>;
  /** Inserts rows given as tab-separated text; resolves with the number of rows the engine reports received. */
  insertTsv(table: string, columns: readonly string[], body: string | Readable): Promise<number>;
  /** The same for a block in the engine's own columnar format. */
  insertNative(table: string, columns: readonly string[], body: readonly Buffer[]): Promise<number>;
  close(): Promise<void>;
};

/**
 * Codes after which the same statement may succeed: timeouts, memory, too many parts or queries, network, read-only, and
 * a full disk (243, and 75 in the middle of a write).
 */
const TRANSIENT_CODES = new Set([
  '75',
  '159',
  '160',
  '202',
  '209',
  '210',
  '241',
  '242',
  '243',
  '252',
  '285',
  '319',
  '425',
  '999',
]);

/** Settings every statement runs with: an ack means the rows are in a part, and no digit is lost on the way back. */
const SETTINGS = {
  async_insert: 0,
  optimize_on_insert: 0,
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: 1,
  date_time_input_format: 'best_effort',
  // Otherwise a first row equal to the column names vanishes without a word.
  input_format_tsv_detect_header: 0,
} as const;

export function createClickHouse(options: ClickHouseOptions): ClickHouse {
  const client = createClient({
    url: options.url,
    database: options.database,
    max_open_connections: options.connectionsMax ?? 8,
    request_timeout: options.requestTimeoutMs ?? 120_000,
    clickhouse_settings: { ...SETTINGS },
    // Errors are thrown with all they know; the caller's wide line logs them once.
    log: { level: ClickHouseLogLevel.OFF },
  });
  const insert = async (query: string, body: string | readonly Buffer[] | Readable) =>
    translate(async () => {
      const values = body instanceof Readable ? body : toReadable(body);
      const result = await client.exec({ query, values });
      result.stream.resume();
      return Number(result.summary?.written_rows ?? Number.NaN);
    });
  return {
    client,
    query: async <Row>(sql: string, parameters: QueryParameters = {}) =>
      translate(async () => {
        const result = await client.query({ query: sql, query_params: { ...parameters }, format: 'JSONEachRow' });
        return result.json<Row>();
      }),
    command: async (sql, parameters = {}) =>
      translate(async () => {
        await client.command({ query: sql, query_params: { ...parameters } });
      }),
    insertTsv: async (table, columns, body) =>
      insert(`INSERT INTO ${table} (${columns.join(', ')}) FORMAT TabSeparated`, body),
    insertNative: async (table, columns, body) =>
      insert(`INSERT INTO ${table} (${columns.join(', ')}) FORMAT Native`, body),
    close: async () => client.close(),
  };
}

function toReadable(body: string | readonly Buffer[]): Readable {
  return Readable.from(typeof body === 'string' ? [Buffer.from(body, 'utf8')] : body, { objectMode: false });
}

async function translate<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ClickHouseError && !TRANSIENT_CODES.has(error.code)) {
      throw new TrueupError({
        kind: 'rejected',
        code: 'CLICKHOUSE_FAILED',
        message: `ClickHouse refused a statement with code ${error.code} (${error.type ?? 'unknown'}): ${error.message}`,
        cause: error,
      });
    }
    throw new TrueupError({
      kind: 'unavailable',
      code: 'CLICKHOUSE_UNAVAILABLE',
      message: `ClickHouse did not answer: ${error instanceof Error ? error.message : String(error)}`,
      cause: error,
    });
  }
}

/** Reads a query beside its module: `readSql(import.meta.url, 'queries/x.sql')`. */
export function readSql(base: string, path: string): string {
  return readFileSync(new URL(path, base), 'utf8');
}
