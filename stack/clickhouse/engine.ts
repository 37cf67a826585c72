/**
 * The only file that touches chdb: opens connections to one data folder, asks, inserts and streams.
 *
 * Promises: one statement at a time on a connection is the caller's duty (lane.ts); a connection is only closed
 * when nothing runs on it, because closing under a running statement ends the engine for the whole process.
 * When the process dies, what an answered insert wrote is in the folder; an unanswered one may be there or not.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Session, drainPending } from 'chdb';
import { toEngineError } from './errors.ts';

/** What the engine says about an insert; rows include those written through materialized views. */
export interface Written {
  readonly rowsWritten: number;
  readonly bytesWritten: number;
}

/** An answer, or a piece of one, in its format. */
export interface Output {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

interface NativeEngine {
  InsertRawAsyncConnection(connection: unknown, prefix: string, data: Buffer, countLines: boolean): Promise<Written>;
}

/**
 * The package's own insert refuses quoted table names and INSERT … SELECT, and only this call reports written rows.
 * It is internal to the pinned version of chdb, so a missing function is found here and at once.
 */
function loadNative(): NativeEngine {
  const require = createRequire(import.meta.url);
  const loader = require(join(dirname(require.resolve('chdb')), 'dist', 'loader.js')) as { loadNative(): NativeEngine };
  const native = loader.loadNative();
  if (typeof native.InsertRawAsyncConnection !== 'function') {
    throw new TypeError('chdb has no InsertRawAsyncConnection: stack/clickhouse/engine.ts is written for chdb 3.4.0');
  }
  return native;
}

const native = loadNative();

// Synchronous inserts unless a request asks otherwise: an answered insert is then in the table, not in a queue.
// Statements a server would refuse (a bare expression) are refused here as well.
const CONNECTION_ARGS = ['--async_insert=0', '--implicit_select=0'];
const NO_DATA = Buffer.from('\n');

export class Connection {
  readonly #session: Session;
  #database = 'default';

  constructor(folder: string) {
    this.#session = new Session(folder, { connectionArgs: CONNECTION_ARGS });
  }

  /** Every request names its database, so the one a former request chose can't leak. */
  async use(database: string): Promise<void> {
    if (database === this.#database) return;
    await this.run(`USE \`${database.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``);
    this.#database = database;
  }

  /** Runs a statement to its end and gives the whole answer in `format` (unless the statement names its own). */
  async run(sql: string, format = 'TabSeparated'): Promise<Output> {
    try {
      const result = await this.#session.queryAsync(sql, { format });
      // Named rowsRead by chdb, yet these are the rows of the result.
      return { bytes: result.bytes(), rows: result.rowsRead };
    } catch (error) {
      throw toEngineError(error);
    }
  }

  /**
   * Runs an INSERT whose data, if any, follows `sql`. `data` must hold no empty line and not begin with a line end:
   * the engine ends inline data there and would run the rest as a statement (isInlineSafe in blocks.ts).
   */
  async write(sql: string, data: Buffer = NO_DATA): Promise<Written> {
    try {
      return await native.InsertRawAsyncConnection(this.#session.connection, sql, data, false);
    } catch (error) {
      throw toEngineError(error);
    }
  }

  /** Yields the answer piece by piece; leaving the loop early cancels the statement in the engine. */
  async *stream(sql: string, format: string): AsyncGenerator<Output, void, undefined> {
    try {
      for await (const chunk of this.#session.queryStream(sql, { format })) {
        yield { bytes: chunk.raw(), rows: chunk.numRows };
      }
    } catch (error) {
      throw toEngineError(error);
    }
  }

  close(): void {
    this.#session.close();
  }
}

/** Resolves when nothing runs in the engine any more. */
export async function drainEngine(): Promise<void> {
  await drainPending();
}
