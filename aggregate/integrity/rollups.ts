// I3 by sample: minutes against a recomputation from the truth, hours against their minutes, days against their hours.
// Where minutes differ from the truth, the hours vote: if they agree with the minutes, it is the truth that changed.

import { HOUR_MS, toIso } from '../../domain/period.ts';
import type { CloseDeps } from '../close.ts';
import { countedParameters, type Window } from '../parameters.ts';
import { QUERIES } from '../queries.ts';
import { fetchDroppedPeriods } from '../retention/state.ts';
import type { Look, Sight } from './findings.ts';
import type { Sampling } from './sampling.ts';

type MinuteRow = {
  namespace: string;
  meter: string;
  hour: number;
  at: string;
  rolled_up: string;
  recomputed: string;
};
type GrainRow = {
  grain: 'hour' | 'day';
  namespace: string;
  meter: string;
  start: number;
  parts: string;
  stored: string;
};

const KINDS = ['TRUTH_ALTERED', 'ROLLUP_ALTERED'] as const;
/** With more than this waiting, the rollups are behind and a comparison says nothing. */
const PENDING_MAX = 2_000;

/** `all` looks at every hour of the window instead of a sample. */
export async function lookAtRollups(deps: CloseDeps, window: Window, sampling: Sampling, all: boolean): Promise<Look> {
  const nothing: Look = { kinds: KINDS, sights: [], covers: () => false };
  const pending = await deps.db
    .selectFrom('ingest_blocks')
    .select('block')
    .where('rolled_up_run', 'is', null)
    .limit(PENDING_MAX + 1)
    .execute();
  if (pending.length > PENDING_MAX) return nothing;
  const dropped = await fetchDroppedPeriods(deps.db);
  const rows = await deps.clickhouse.query<{ hour: number }>(QUERIES.rolledHours, {
    ...countedParameters({ window }),
    dropped,
  });
  const candidates = rows.map(({ hour }) => hour);
  const hours = all ? candidates : sampling.pick(candidates, sampling.hours, ...KINDS);
  if (hours.length === 0) return nothing;
  const sampled = { startAtMs: Math.min(...hours) * 1000, endAtMs: Math.max(...hours) * 1000 + HOUR_MS };
  const parameters = { ...countedParameters({ window: sampled, hours }), blocks: pending.map(({ block }) => block) };
  const grains = await deps.clickhouse.query<GrainRow>(QUERIES.sampledGrains, parameters);
  const minutes = await deps.clickhouse.query<MinuteRow>(QUERIES.sampledMinutes, parameters);
  const looked = new Set(hours);
  return {
    kinds: KINDS,
    sights: nameMismatches(minutes, grains),
    covers: (_key, { hour }) => looked.has(Number(hour)),
  };
}

/** Pure: which of the two sides of a mismatch was changed, by what the third side says. */
export function nameMismatches(minutes: readonly MinuteRow[], grains: readonly GrainRow[]): Sight[] {
  const broken = new Set(grains.filter(({ grain }) => grain === 'hour').map((row) => nameOf(row, row.start)));
  const fromMinutes = minutes.map((row): Sight => {
    const { namespace, meter, hour, at, rolled_up: rolledUp, recomputed } = row;
    return {
      kind: broken.has(nameOf(row, hour)) ? 'ROLLUP_ALTERED' : 'TRUTH_ALTERED',
      key: `${namespace} ${meter} ${at}`,
      evidence: { namespace, meter, minute: at, hour, rolledUp, recomputed },
    };
  });
  const fromGrains = grains.map(({ grain, namespace, meter, start, parts, stored }): Sight => {
    const evidence = { namespace, meter, grain, hour: start, stored, sumOfParts: parts };
    return { kind: 'ROLLUP_ALTERED', key: `${namespace} ${meter} ${grain} ${toIso(start * 1000)}`, evidence };
  });
  return [...fromMinutes, ...fromGrains];
}

function nameOf({ namespace, meter }: { namespace: string; meter: string }, hour: number): string {
  return `${namespace} ${meter} ${hour}`;
}
