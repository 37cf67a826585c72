/**
 * Inserts data of a request into a table.
 *
 * Promises: of a body up to the limit nothing reaches the table unless all of it arrived, and it is one block; a longer one
 * commits in blocks of whole rows and fails loudly when it is cut. Rows are counted by the engine.
 * When the process dies unanswered, a block is there or not (per table partition), never half a row; spilled files are removed
 * at the next start.
 */
import { rm } from 'node:fs/promises';
import { cutAtLines, isInlineSafe } from './blocks.ts';
import { nextChunk } from './body.ts';
import type { Connection, Written } from './engine.ts';
import { isInlineFormat, isLineFormat } from './formats.ts';
import type { InlineInsert } from './request.ts';
import type { Spill } from './spill.ts';

export type WithConnection = (work: (connection: Connection) => Promise<Written>) => Promise<Written>;

const BLOCK_BYTES = 16 * 1024 * 1024;

export class Inserter {
  readonly #spill: Spill;

  constructor(spill: Spill) {
    this.#spill = spill;
  }

  /** Connections are taken per block, never while waiting for the client. */
  async insert(insert: InlineInsert, withConnection: WithConnection): Promise<Written> {
    const { head, rest } = insert.data;
    if (rest === undefined) return this.#insertBlock(insert, head, withConnection);
    if (!isLineFormat(insert.format)) return this.#insertFile(insert, allOf(head, rest), withConnection);
    let rowsWritten = 0;
    let bytesWritten = 0;
    for await (const block of cutAtLines(allOf(head, rest), BLOCK_BYTES)) {
      const written = await this.#insertBlock(insert, block, withConnection);
      rowsWritten += written.rowsWritten;
      bytesWritten += written.bytesWritten;
    }
    return { rowsWritten, bytesWritten };
  }

  async #insertBlock(insert: InlineInsert, data: Buffer, withConnection: WithConnection): Promise<Written> {
    if (!isInlineFormat(insert.format) || !isInlineSafe(data)) {
      return this.#insertFile(insert, data, withConnection);
    }
    const sql = `${insert.target} ${insert.settings} FORMAT ${insert.format}`;
    return withConnection(async (connection) => connection.write(sql, data));
  }

  async #insertFile(
    insert: InlineInsert,
    data: Buffer | AsyncIterable<Buffer>,
    withConnection: WithConnection,
  ): Promise<Written> {
    const run = async (connection: Connection, path: string) => {
      const from = `FROM INFILE '${path.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}' COMPRESSION 'none'`;
      return connection.write(`${insert.target} ${from} ${insert.settings} FORMAT ${insert.format}`);
    };
    // A whole body is written when its turn has come, so that those that wait don't fill memory twice. One that still
    // arrives is written first: its sender may be slow, and others wait for the connection.
    return Buffer.isBuffer(data)
      ? withConnection(async (connection) => this.#withFile(data, async (path) => run(connection, path)))
      : this.#withFile(data, async (path) => withConnection(async (connection) => run(connection, path)));
  }

  async #withFile<T>(data: Buffer | AsyncIterable<Buffer>, work: (path: string) => Promise<T>): Promise<T> {
    const path = await this.#spill.write(data);
    try {
      return await work(path);
    } finally {
      await rm(path, { force: true });
    }
  }
}

async function* allOf(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield head;
  for (let chunk = await nextChunk(rest); chunk !== undefined; chunk = await nextChunk(rest)) yield chunk;
}
