// What the engine takes when nothing stands before it: prebuilt buffers, inserted with the batch size and the number of
// requests in flight that proved best on this machine.

import type { ClickHouse } from '../platform/clickhouse.ts';
import { createPlainTable } from './plain-table.ts';
import { cutLines } from './topic.ts';

export type BareSettings = { readonly batchBytes: number; readonly inFlight: number };

export type InsertPiece = (clickhouse: ClickHouse, piece: Buffer) => Promise<number>;

const MIB = 1024 * 1024;
const BATCH_MIB = [4, 8, 15];
const IN_FLIGHT = [2, 3, 4];
const TRIAL_BYTES = 60 * MIB;

/** Inserts all of `lines`; resolves with the seconds it took. */
export async function runBare(
  clickhouse: ClickHouse,
  lines: Buffer,
  settings: BareSettings,
  insert: InsertPiece,
): Promise<number> {
  await createPlainTable(clickhouse);
  const pieces = cutLines(lines, settings.batchBytes).values();
  const start = performance.now();
  const worker = async () => {
    for (const piece of pieces) await insert(clickhouse, piece);
  };
  await Promise.all(Array.from({ length: settings.inFlight }, worker));
  return (performance.now() - start) / 1000;
}

/** Tries the candidates on a part of the lines, the first one twice: the engine is cold before that. */
export async function findBestSettings(
  clickhouse: ClickHouse,
  lines: Buffer,
  insert: InsertPiece,
): Promise<BareSettings> {
  const part = cutLines(lines, TRIAL_BYTES)[0] ?? lines;
  const candidates = BATCH_MIB.flatMap((mib) => IN_FLIGHT.map((inFlight) => ({ batchBytes: mib * MIB, inFlight })));
  let best: { settings: BareSettings; seconds: number } | undefined;
  for (const settings of [...candidates.slice(0, 1), ...candidates]) {
    const seconds = await runBare(clickhouse, part, settings, insert);
    if (best === undefined || seconds < best.seconds) best = { settings, seconds };
  }
  return best?.settings ?? { batchBytes: 8 * MIB, inFlight: 2 };
}
