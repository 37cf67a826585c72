// Reads an archive back into scratch tables, each file checked against its recorded hash before a row of it is used.

import { join } from 'node:path';
import { invariant } from '../../domain/contracts/errors.ts';
import { EVENT_COLUMNS } from '../../domain/contracts/tables.ts';
import type { ClickHouse } from '../../platform/clickhouse.ts';
import type { Scratch } from '../explain/scratch.ts';
import { checkFile, insertParquet } from './files.ts';
import type { ArchiveRecord } from './state.ts';

/** Without id_hash, which is computed anew from the identity. */
export const CONFLICT_COLUMNS = [
  'namespace',
  'source',
  'id',
  'type',
  'time',
  'quantity',
  'kafka_partition',
  'kafka_offset',
  'winner_offset',
] as const;

const CONFLICTS_FILE = 'conflicts.parquet';

export function isConflictsFile(name: string): boolean {
  return name.endsWith(CONFLICTS_FILE);
}

/** Resolves with the number of events loaded. */
export async function loadArchive(clickhouse: ClickHouse, archive: ArchiveRecord, scratch: Scratch): Promise<bigint> {
  let events = 0n;
  for (const file of archive.files) {
    await checkFile(archive.folder, file);
    const losers = isConflictsFile(file.name);
    const [table, columns] = losers ? [scratch.losers, CONFLICT_COLUMNS] : [scratch.events, EVENT_COLUMNS];
    const received = await insertParquet(clickhouse, table, join(archive.folder, file.name), columns);
    invariant(received === file.rows, 'I4', `${file.name} should hold ${file.rows} rows, the engine read ${received}`);
    if (!losers) events += BigInt(received);
  }
  return events;
}
