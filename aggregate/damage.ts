// Damage that stands: what the continuous proof found and nobody mended, and parts that the engine set aside since it
// looked. The block log may be complete and the rollups may agree with a truth that lacks rows, because groups that came
// later were rolled up from what was left: such a period must not be closed, since the rows come back below its barrier
// when they are restored, and its digest would never come out again.

import { FINDING_RULES } from '../domain/contracts/integrity-findings.ts';
import { TrueupError } from '../domain/contracts/errors.ts';
import { toIso } from '../domain/period.ts';
import { checkRolledUp } from './block-log.ts';
import type { CloseDeps } from './close.ts';
import { fetchFindings, type Sight } from './integrity/findings.ts';
import { lookAtPartsSetAside } from './integrity/parts.ts';
import { fetchDroppedPeriods } from './retention/state.ts';
import type { Barrier } from './usage.ts';

type DamageDeps = Pick<CloseDeps, 'clickhouse' | 'db' | 'topic'>;

const NAMED_MAX = 3;

/**
 * Throws `unavailable` ROLLUP_BEHIND until everything before `barrier` is stored and rolled up, USAGE_DAMAGED while a finding
 * stands over which nothing may be closed (domain/contracts/integrity-findings.ts).
 */
export async function checkWholeUpTo(deps: DamageDeps, barrier: Barrier): Promise<void> {
  await checkRolledUp(deps, barrier);
  const names = await fetchDamage(deps);
  if (names.length === 0) return;
  const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : '';
  throw new TrueupError({
    kind: 'unavailable',
    code: 'USAGE_DAMAGED',
    message: `nothing is closed or adjusted while this stands: ${names.slice(0, NAMED_MAX).join('; ')}${more}`,
    next: 'run "trueup integrity run" (with --full <month> for an old one) and do what it says; this goes on once all is resolved',
    context: { findings: names.length },
  });
}

/** Kind and key of each, the oldest first. */
async function fetchDamage(deps: DamageDeps): Promise<string[]> {
  const open = (await fetchFindings(deps.db)).filter(({ state }) => state === 'OPEN');
  const standing = [...open, ...(await lookAtPartsSetAside(deps))].filter(({ kind }) => FINDING_RULES[kind].stopsClose);
  // What is about a month whose truth is gone can't be looked for any more, and changes nothing that is still closed.
  const dropped = new Set(await fetchDroppedPeriods(deps.db));
  const names = standing.filter((one) => !dropped.has(monthOf(one))).map(({ kind, key }) => `${kind} ${key}`);
  return [...new Set(names)];
}

/** The month of usage that a finding is about; empty where its evidence names none. */
function monthOf({ kind, evidence: { minute, hour, partition } }: Sight): string {
  if (typeof minute === 'string') return minute.slice(0, 7);
  if (typeof hour === 'number') return toIso(hour * 1_000).slice(0, 7);
  return kind === 'PART_LOST' ? String(partition).replace(/^(\d{4})(\d{2})$/, '$1-$2') : '';
}
