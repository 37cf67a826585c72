// Reads an archive back and recomputes from it what was closed and what was adjusted since. An archive that can't do
// that is no reason to drop anything.

import { invariant } from '../../domain/contracts/errors.ts';
import { parseWhole } from '../../domain/decimal.ts';
import type { Period } from '../../domain/period.ts';
import { fetchAdjustments } from '../adjustments.ts';
import type { CloseDeps } from '../close.ts';
import { requirePeriod } from '../period-record.ts';
import type { DigestRow } from '../digest.ts';
import { recount, withScratch } from '../explain/scratch.ts';
import { QUERIES } from '../queries.ts';
import { loadArchive } from './load.ts';
import type { ArchiveRecord } from './state.ts';

/** Resolves with the recomputed digest. Throws `bug` when the archive gives another closed total or adjustment. */
export async function verifyArchive(deps: CloseDeps, period: Period, archive: ArchiveRecord): Promise<string> {
  const { barrier, catalogue, digest } = await requirePeriod(deps.db, period);
  const adjustments = await fetchAdjustments(deps.db, period);
  return withScratch(deps.clickhouse, async (scratch) => {
    await loadArchive(deps.clickhouse, archive, scratch);
    const options = { period: period.key, window: period, catalogue };
    const closed = await recount(deps.clickhouse, scratch, { ...options, before: barrier });
    const found = `the archive of ${period.key} gives digest ${closed.digest}, it was closed with ${digest}`;
    invariant(closed.digest === digest, 'I4', found);
    const last = adjustments.at(-1);
    if (last !== undefined) {
      const later = await recount(deps.clickhouse, scratch, { ...options, before: last.upTo });
      const expected = await deps.clickhouse.query<DigestRow>(QUERIES.closedDigests, { period: period.key });
      const totals = sum([...expected.map(toEntry), ...adjustments.map((one) => [nameOf(one), one.quantity] as const)]);
      const archived = sum(later.rows.map(toEntry));
      for (const name of new Set([...totals.keys(), ...archived.keys()])) {
        const [want, got] = [totals.get(name) ?? 0n, archived.get(name) ?? 0n];
        invariant(
          want === got,
          'I4',
          `${name} of ${period.key} is ${want} with its adjustments, the archive gives ${got}`,
        );
      }
    }
    return closed.digest;
  });
}

function nameOf({ namespace, meter }: { namespace: string; meter: string }): string {
  return `${namespace} ${meter}`;
}

function toEntry(row: DigestRow): readonly [string, bigint] {
  return [nameOf(row), parseWhole(row.total)];
}

function sum(entries: readonly (readonly [string, bigint])[]): Map<string, bigint> {
  const totals = new Map<string, bigint>();
  for (const [name, quantity] of entries) totals.set(name, (totals.get(name) ?? 0n) + quantity);
  return totals;
}
