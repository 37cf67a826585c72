// Writes the month's files, a day each, so that memory stays bounded and a killed run loses one day's work. A file counts
// once it is recorded; recorded files whose bytes are still those of their hash, and whose day has not changed, stay.

import { invariant } from '../../domain/contracts/errors.ts';
import { DAY_MS, type Period } from '../../domain/period.ts';
import type { ClickHouse } from '../../platform/clickhouse.ts';
import type { CloseDeps } from '../close.ts';
import { countedParameters, type Window } from '../parameters.ts';
import { QUERIES } from '../queries.ts';
import type { ArchiveFile } from '../tables.ts';
import { checkFile, writeParquet } from './files.ts';
import { fetchArchive, type ArchiveRecord } from './state.ts';

type Work = {
  readonly period: Period;
  readonly archive: ArchiveRecord;
  readonly step: (name: string) => Promise<void>;
};

export async function archiveFiles(deps: CloseDeps, { period, archive, step }: Work): Promise<ArchiveRecord> {
  const { clickhouse } = deps;
  let files = [...archive.files];
  const keep = async (file: ArchiveFile) => {
    files = [...files.filter(({ name }) => name !== file.name), file];
    await deps.db
      .updateTable('period_archives')
      .set({ files: JSON.stringify(files) })
      .where('period', '=', period.key)
      .execute();
    await step(file.name);
  };
  for (let startAtMs = period.startAtMs; startAtMs < period.endAtMs; startAtMs += DAY_MS) {
    const window = { startAtMs, endAtMs: startAtMs + DAY_MS };
    const name = `${period.key}/events-${new Date(startAtMs).toISOString().slice(0, 10)}.parquet`;
    const rows = await countTruth(clickhouse, window);
    if (rows === 0n && !files.some((file) => file.name === name)) continue;
    if (await isKept(archive, { name, rows })) continue;
    await keep(await write(clickhouse, { folder: archive.folder, name, select: QUERIES.archiveEvents, window, rows }));
  }
  const name = `${period.key}/conflicts.parquet`;
  const [losers] = await clickhouse.query<{ rows: string }>(
    QUERIES.conflictCount,
    countedParameters({ window: period }),
  );
  const rows = BigInt(losers?.rows ?? 0);
  if (!(await isKept(archive, { name, rows }))) {
    const select = QUERIES.archiveConflicts;
    await keep(await write(clickhouse, { folder: archive.folder, name, select, window: period, rows }));
  }
  const written = await fetchArchive(deps.db, period);
  invariant(written !== undefined, 'I4', `${period.key} lost its archive record`);
  return written;
}

type NewFile = {
  readonly folder: string;
  readonly name: string;
  readonly select: string;
  readonly window: Window;
  readonly rows: bigint;
};

async function write(clickhouse: ClickHouse, { window, rows, ...file }: NewFile): Promise<ArchiveFile> {
  return writeParquet(clickhouse, { ...file, rows: Number(rows), parameters: countedParameters({ window }) });
}

async function isKept(archive: ArchiveRecord, file: { name: string; rows: bigint }): Promise<boolean> {
  const known = archive.files.find(({ name }) => name === file.name);
  if (known === undefined || BigInt(known.rows) !== file.rows) return false;
  try {
    await checkFile(archive.folder, known);
    return true;
  } catch {
    // Not the file that was recorded; the truth is still here to write it again.
    return false;
  }
}

/** Events of a window, one per identity and content. */
export async function countTruth(clickhouse: ClickHouse, window: Window): Promise<bigint> {
  const [row] = await clickhouse.query<{ rows: string }>(QUERIES.truthCount, countedParameters({ window }));
  invariant(row !== undefined, 'I6', 'the truth did not say how many events it holds');
  return BigInt(row.rows);
}
