import { rmSync } from 'node:fs';
import { memoryFolderOf } from './clickhouse/spill.ts';

/** Removes a server's data folder, and what it kept in memory under the folder's name. */
export function removeData(dataDir: string): void {
  for (const folder of [dataDir, memoryFolderOf(dataDir)]) rmSync(folder, { recursive: true, force: true });
}
