/**
 * Runs a prepared statement on the right lane and answers it.
 *
 * Data inserts have a lane of their own; everything else, INSERT … SELECT included, shares the other, so long reads and
 * rebuilds never hold back ingestion. A read whose client leaves is cancelled; a write is not, as on a server.
 */
import type { Answer, Summary } from './answer.ts';
import { cancelWhenGone } from './cancel.ts';
import type { Connection, Output, Written } from './engine.ts';
import { EngineError, toEngineError } from './errors.ts';
import { isUnframed } from './formats.ts';
import { Inserter } from './insert.ts';
import type { Lane } from './lane.ts';
import type { InlineInsert, Prepared } from './request.ts';
import type { RequestOptions } from './settings.ts';
import type { Spill } from './spill.ts';

/** Statements that leave something behind on the connection they ran on. */
const STICKY = new Set(['SET', 'USE', 'BEGIN', 'START', 'COMMIT', 'ROLLBACK', 'EXECUTE']);
const NOTHING = Buffer.alloc(0);

export interface Job {
  readonly prepared: Prepared;
  readonly options: RequestOptions;
  readonly answer: Answer;
}

export class Executor {
  readonly #queries: Lane;
  readonly #inserts: Lane;
  readonly #inserter: Inserter;
  readonly #connect: () => Connection;

  constructor(parts: { queries: Lane; inserts: Lane; spill: Spill; connect: () => Connection }) {
    this.#queries = parts.queries;
    this.#inserts = parts.inserts;
    this.#inserter = new Inserter(parts.spill);
    this.#connect = parts.connect;
  }

  async execute(job: Job): Promise<void> {
    const { statement, inline } = job.prepared;
    job.answer.format = statement.format ?? job.options.defaultFormat;
    if (inline !== undefined) await this.#insertData(job, inline);
    else if (statement.kind === 'insert') await this.#insertQuery(job);
    else if (statement.kind === 'read') await this.#read(job);
    else await this.#change(job);
  }

  async #insertData(job: Job, inline: InlineInsert): Promise<void> {
    const written = await this.#inserter.insert(inline, async (work) => {
      return this.#inserts.with(job.answer.signal, async (connection) => {
        await connection.use(job.options.database);
        return work(connection);
      });
    });
    await job.answer.send(NOTHING, { read_rows: written.rowsWritten, ...writtenSize(written) });
  }

  async #insertQuery(job: Job): Promise<void> {
    const written = await this.#queries.with(job.answer.signal, async (connection) => {
      await connection.use(job.options.database);
      return connection.write(job.prepared.sql);
    });
    await job.answer.send(NOTHING, writtenSize(written));
  }

  async #read(job: Job): Promise<void> {
    const { answer, prepared } = job;
    if (canStream(job)) {
      await this.#asked(job, async (connection) => answer.stream(connection.stream(prepared.sql, answer.format)));
      return;
    }
    const result = await this.#asked(job, async (connection) => connection.run(prepared.sql, answer.format));
    await answer.send(result.bytes, { ...rowsReadIn(result.bytes), ...resultSize(result) });
  }

  async #asked<T>(job: Job, ask: (connection: Connection) => Promise<T>): Promise<T> {
    const { answer, options } = job;
    return this.#queries.with(answer.signal, async (connection) => {
      await connection.use(options.database);
      const { cancelMark } = options;
      const ended = cancelMark === undefined ? undefined : cancelWhenGone(answer.signal, cancelMark, this.#connect);
      try {
        return await ask(connection);
      } catch (error) {
        throw withoutMark(error, cancelMark);
      } finally {
        ended?.();
      }
    });
  }

  /** DDL and the like: settings are set on a connection that is thrown away, since not all of these take a clause. */
  async #change(job: Job): Promise<void> {
    const { statement, sql, settings } = job.prepared;
    const { answer, options } = job;
    const work = async (connection: Connection): Promise<Output> => {
      await connection.use(options.database);
      if (settings !== '') await connection.run(`SET ${settings}`);
      return connection.run(sql, answer.format);
    };
    const leavesTraces =
      settings !== '' || STICKY.has(statement.verb) || statement.tokens.some((token) => token.text === 'TEMPORARY');
    const result = await (leavesTraces
      ? this.#queries.withDisposable(answer.signal, work)
      : this.#queries.with(answer.signal, work));
    await answer.send(result.bytes, resultSize(result));
  }
}

function canStream(job: Job): boolean {
  const { statement } = job.prepared;
  return (
    ['SELECT', 'WITH', '(', 'FROM'].includes(statement.verb) &&
    isUnframed(job.answer.format) &&
    !job.options.waitForEnd &&
    // Totals and extremes come after the rows, in a form of their own.
    !statement.tokens.some((token) => token.text === 'TOTALS' || token.text === 'EXTREMES') &&
    !job.options.settings.has('extremes')
  );
}

/** Engine messages quote the statement; the mark in it would only puzzle its reader. */
function withoutMark(error: unknown, mark: string | undefined): EngineError {
  const { code, type, message } = toEngineError(error);
  const clause = `log_comment = '${mark ?? ''}'`;
  return new EngineError(code, type, message.replaceAll(` SETTINGS ${clause}`, '').replaceAll(`, ${clause}`, ''));
}

function resultSize(result: Output): Summary {
  return { written_rows: 0, written_bytes: 0, result_rows: result.rows, result_bytes: result.bytes.length };
}

/** The engine tells what it read only inside JSON answers, at their end. */
function rowsReadIn(bytes: Uint8Array): Summary {
  const tail = Buffer.from(bytes.subarray(-300)).toString('latin1');
  const [, rows, size] = /"rows_read":\s*(\d+),\s*"bytes_read":\s*(\d+)\s*\}\s*\}\s*$/.exec(tail) ?? [];
  return rows === undefined || size === undefined ? {} : { read_rows: Number(rows), read_bytes: Number(size) };
}

function writtenSize({ rowsWritten, bytesWritten }: Written): Summary {
  return {
    written_rows: rowsWritten,
    written_bytes: bytesWritten,
    result_rows: rowsWritten,
    result_bytes: bytesWritten,
  };
}
