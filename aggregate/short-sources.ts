// S0 of a period: sources whose manifests announce more for its hours than arrived. Reads only.

import type { Period } from '../domain/period.ts';
import type { CloseDeps } from './close.ts';
import { countedParameters } from './parameters.ts';
import { QUERIES } from './queries.ts';
import { requireTruth } from './retention/state.ts';

/** Distinct events of one source, in those of its hours that are short. */
export type ShortSource = { readonly source: string; readonly announced: bigint; readonly arrived: bigint };

export async function fetchShortSources(deps: CloseDeps, period: Period): Promise<ShortSource[]> {
  await requireTruth(deps.db, period);
  const hours = await deps.clickhouse.query<{ source: string; said: string; came: string }>(
    QUERIES.sourceHours,
    countedParameters({ window: period }),
  );
  const sums = new Map<string, ShortSource>();
  for (const { source, said, came } of hours) {
    if (BigInt(came) >= BigInt(said)) continue;
    const { announced, arrived } = sums.get(source) ?? { announced: 0n, arrived: 0n };
    sums.set(source, { source, announced: announced + BigInt(said), arrived: arrived + BigInt(came) });
  }
  return [...sums.values()].sort((a, b) => (a.source < b.source ? -1 : 1));
}
