// Archive files: Parquet, written by the engine and streamed to disk. A name below the folder is a whole file or nothing:
// it is written beside, flushed to disk and then renamed.

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { invariant } from '../../domain/contracts/errors.ts';
import type { ClickHouse, QueryParameters } from '../../platform/clickhouse.ts';
import type { ArchiveFile } from '../tables.ts';

export type ParquetSource = {
  readonly folder: string;
  readonly name: string;
  /** A SELECT; its rows in a fixed order, so that the same rows make the same file. */
  readonly select: string;
  readonly parameters: QueryParameters;
  readonly rows: number;
};

export async function writeParquet(clickhouse: ClickHouse, source: ParquetSource): Promise<ArchiveFile> {
  const path = join(source.folder, source.name);
  const beside = `${path}.part`;
  await mkdir(dirname(path), { recursive: true });
  const { stream } = await clickhouse.client.exec({
    query: `${source.select}\nFORMAT Parquet`,
    query_params: { ...source.parameters },
  });
  const meter = createMeter();
  await pipeline(stream, meter.through, createWriteStream(beside));
  await flush(beside);
  await rename(beside, path);
  await flush(dirname(path));
  return { name: source.name, rows: source.rows, ...meter.read() };
}

/** Throws `bug` when the file is missing or is not the one that was recorded. */
export async function checkFile(folder: string, file: ArchiveFile): Promise<void> {
  const meter = createMeter();
  try {
    for await (const chunk of createReadStream(join(folder, file.name))) meter.add(chunk as Buffer);
  } catch (error) {
    invariant(false, 'I4', `archive file ${join(folder, file.name)} can't be read: ${String(error)}`);
  }
  const { bytes, sha256 } = meter.read();
  const same = bytes === file.bytes && sha256 === file.sha256;
  invariant(same, 'I4', `archive file ${join(folder, file.name)} is not the one whose SHA-256 was recorded`);
}

/** Resolves with the rows the engine reports received. */
export async function insertParquet(
  clickhouse: ClickHouse,
  table: string,
  path: string,
  columns: readonly string[],
): Promise<number> {
  const values: Readable = createReadStream(path);
  const result = await clickhouse.client.exec({
    query: `INSERT INTO ${table} (${columns.join(', ')}) FORMAT Parquet`,
    values,
  });
  result.stream.resume();
  return Number(result.summary?.written_rows ?? Number.NaN);
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function createMeter() {
  const hash = createHash('sha256');
  let bytes = 0;
  const add = (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
  };
  const through = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      add(chunk);
      done(null, chunk);
    },
  });
  return { add, through, read: () => ({ bytes, sha256: hash.digest('hex') }) };
}
