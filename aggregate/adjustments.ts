// Adjustments: what later usage and voids changed about a closed period, as deltas posted to a period that is still
// open (promise I4). Adjustment k is a function of the log up to its barrier and of the adjustments before it, so
// recording the same barrier twice answers what is stored, and one that died halfway left nothing.

import { TrueupError } from '../domain/contracts/errors.ts';
import { parseWhole } from '../domain/decimal.ts';
import { nextPeriod, type Period } from '../domain/period.ts';
import type { Postgres } from '../platform/postgres.ts';
import { checkClosedDigest, resolveConflicts, type CloseDeps } from './close.ts';
import { checkWholeUpTo } from './damage.ts';
import { fetchPeriod, requirePeriod } from './period-record.ts';
import { fromMeter } from './meters.ts';
import { countedParameters } from './parameters.ts';
import { QUERIES } from './queries.ts';
import { requireTruth } from './retention/state.ts';
import type { AggregateTables } from './tables.ts';
import type { Adjustment, AdjustmentRun, Barrier } from './usage.ts';

type Delta = { account: string; namespace: string; meter: string; quantity: bigint };

/**
 * Throws `rejected` PERIOD_STATE before the close, after retention, or for a barrier that lies before a recorded one;
 * `unavailable` while what is stored is behind or damaged (damage.ts).
 */
export async function recordAdjustments(deps: CloseDeps, period: Period, upTo: Barrier): Promise<AdjustmentRun> {
  const record = await requirePeriod(deps.db, period);
  if (record.state !== 'CLOSED') {
    throw refused(`${period.key} is not closed yet`, 'close it first; usage that comes before is part of its total');
  }
  await requireTruth(deps.db, period);
  await checkWholeUpTo(deps, upTo);
  // A losing copy that came late must not show as usage.
  await resolveConflicts(deps, period);
  await checkClosedDigest(deps, period, record);
  const k = await deps.db.transaction().execute(async (transaction) => {
    // Of two at once the second waits here, and then sees the first one's run.
    await transaction.selectFrom('periods').select('key').where('key', '=', period.key).forUpdate().execute();
    const runs = await fetchRuns(transaction, period);
    const same = runs.find(({ barrier }) => isEqual(barrier, upTo));
    if (same !== undefined) return same.k;
    for (const { k: earlier, barrier } of [{ k: 0, barrier: record.barrier }, ...runs]) {
      if (!reaches(upTo, barrier)) {
        const which = earlier === 0 ? 'the close' : `adjustment ${earlier}`;
        throw refused(`the barrier given for ${period.key} lies before that of ${which}`, 'take fresh end offsets');
      }
    }
    const deltas = await fetchDeltas({ ...deps, db: transaction }, period, upTo);
    if (deltas.length === 0) return undefined;
    // Once more: what was read meanwhile may have lacked a part that an operator, or the engine itself, set aside.
    await checkWholeUpTo({ ...deps, db: transaction }, upTo);
    const next = (runs.at(-1)?.k ?? 0) + 1;
    const postedTo = (await openPeriodAfter(transaction, period)).key;
    await insertRun(transaction, { period: period.key, k: next, upTo, postedTo, deltas });
    return next;
  });
  const adjustments = await fetchAdjustments(deps.db, period);
  return { period: period.key, k: k ?? null, adjustments: adjustments.filter((one) => one.k === k) };
}

export async function fetchAdjustments(db: Postgres<AggregateTables>, period: Period): Promise<Adjustment[]> {
  const rows = await db
    .selectFrom('period_adjustments as a')
    .innerJoin('adjustment_runs as r', (join) => join.onRef('r.period', '=', 'a.period').onRef('r.k', '=', 'a.k'))
    .select(['a.k', 'a.account', 'a.namespace', 'a.meter', 'a.quantity', 'r.posted_to', 'r.barrier'])
    .where('a.period', '=', period.key)
    .orderBy('a.k')
    .orderBy('a.namespace')
    .orderBy('a.meter')
    .execute();
  return rows.map(({ k, account, namespace, meter, quantity, posted_to: postedTo, barrier }) => ({
    period: period.key,
    k,
    postedTo,
    upTo: barrier.map(BigInt),
    account,
    namespace,
    meter: fromMeter(meter),
    quantity: parseWhole(quantity),
  }));
}

/** The first period behind `period` whose barrier has not been taken. */
export async function openPeriodAfter(db: Postgres<AggregateTables>, period: Period): Promise<Period> {
  let candidate = nextPeriod(period);
  while ((await fetchPeriod(db, candidate)) !== undefined) candidate = nextPeriod(candidate);
  return candidate;
}

async function fetchRuns(db: Postgres<AggregateTables>, period: Period): Promise<{ k: number; barrier: bigint[] }[]> {
  const rows = await db
    .selectFrom('adjustment_runs')
    .select(['k', 'barrier'])
    .where('period', '=', period.key)
    .orderBy('k')
    .execute();
  return rows.map(({ k, barrier }) => ({ k, barrier: barrier.map(BigInt) }));
}

async function fetchDeltas(deps: CloseDeps, period: Period, upTo: Barrier): Promise<Delta[]> {
  const { catalogue } = await requirePeriod(deps.db, period);
  const before = new Map<string, Delta>();
  for (const { account, namespace, meter, quantity } of await fetchAdjustments(deps.db, period)) {
    const name = `${namespace} ${meter}`;
    const known = before.get(name)?.quantity ?? 0n;
    before.set(name, { account, namespace, meter, quantity: known + quantity });
  }
  const rows = await deps.clickhouse.query<{ account: string; namespace: string; meter: string; units: string }>(
    QUERIES.adjustmentDeltas,
    { ...countedParameters({ window: period, before: upTo, catalogue }), period: period.key },
  );
  const deltas = rows.map(({ account, namespace, meter, units }) => {
    const name = `${namespace} ${meter}`;
    const posted = before.get(name)?.quantity ?? 0n;
    before.delete(name);
    return { account, namespace, meter, quantity: parseWhole(units) - posted };
  });
  // What is left was posted before and is back at its closed total.
  const undone = [...before.values()].map((delta) => ({ ...delta, quantity: -delta.quantity }));
  return [...deltas, ...undone].filter(({ quantity }) => quantity !== 0n);
}

type NewRun = { period: string; k: number; upTo: Barrier; postedTo: string; deltas: readonly Delta[] };

async function insertRun(db: Postgres<AggregateTables>, { period, k, upTo, postedTo, deltas }: NewRun): Promise<void> {
  const barrier = JSON.stringify(upTo.map(String));
  await db.insertInto('adjustment_runs').values({ period, k, barrier, posted_to: postedTo }).execute();
  const rows = deltas.map((delta) => ({ ...delta, period, k, quantity: delta.quantity.toString() }));
  for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
    await db
      .insertInto('period_adjustments')
      .values(rows.slice(start, start + ROWS_PER_STATEMENT))
      .execute();
  }
}

/** Postgres takes 65,535 parameters per statement. */
const ROWS_PER_STATEMENT = 5_000;

function isEqual(a: Barrier, b: Barrier): boolean {
  return a.length === b.length && a.every((end, partition) => end === b[partition]);
}

/** Does `later` lie at or behind `earlier` in every partition? A partition that is new in `later` started at 0. */
function reaches(later: Barrier, earlier: Barrier): boolean {
  return earlier.every((end, partition) => (later[partition] ?? -1n) >= end);
}

function refused(message: string, next: string): TrueupError {
  return new TrueupError({ kind: 'rejected', code: 'PERIOD_STATE', message, next });
}
