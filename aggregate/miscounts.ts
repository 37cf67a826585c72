// Usage of a closed period that counts wrongly, in the terms in which a reconciliation compares it: rollups that are not
// their raw events, identities that count more than once. Reads only; a second look gives the same answer, apart from what
// has been mended meanwhile.

import { accountOf } from '../domain/event.ts';
import { parseWhole } from '../domain/decimal.ts';
import type { MeterName } from '../domain/meter.ts';
import type { Period } from '../domain/period.ts';
import { fetchStandingMismatches, resolveConflicts, type CloseDeps, type RollupMismatch } from './close.ts';
import { fromMeter } from './meters.ts';
import { countedParameters } from './parameters.ts';
import { requirePeriod } from './period-record.ts';
import { QUERIES } from './queries.ts';
import { requireTruth } from './retention/state.ts';
import type { Barrier } from './usage.ts';

/** Usage that counts wrongly: what the windows or identities concerned should come to, and what they do come to. */
export type Miscount = {
  readonly account: string;
  readonly namespace: string;
  readonly meter: MeterName;
  readonly right: bigint;
  readonly counted: bigint;
};

export type Miscounts = {
  readonly rollups: readonly Miscount[];
  readonly duplicates: readonly Miscount[];
};

/** More windows than this and the rollups are not damaged but gone. */
const MISMATCHES_MAX = 100_000;

export async function fetchMiscounts(deps: CloseDeps, period: Period, upTo: Barrier): Promise<Miscounts> {
  await requireTruth(deps.db, period);
  // A losing copy that came late is named first, so that it is neither a duplicate nor usage.
  await resolveConflicts(deps, period);
  const mismatches = await fetchStandingMismatches(deps, period, { before: upTo, limit: MISMATCHES_MAX });
  return {
    rollups: sumMiscounts(mismatches),
    duplicates: await fetchDuplicates(deps, period, upTo),
  };
}

async function fetchDuplicates({ clickhouse, db }: CloseDeps, period: Period, upTo: Barrier): Promise<Miscount[]> {
  type Row = { account: string; namespace: string; meter: string; right_units: string; counted_units: string };
  const { catalogue } = await requirePeriod(db, period);
  const counted = countedParameters({ window: period, before: upTo, catalogue });
  const rows = await clickhouse.query<Row>(QUERIES.countedTwice, counted);
  return rows.map(({ account, namespace, meter, right_units: right, counted_units: counted }) => {
    return { account, namespace, meter: fromMeter(meter), right: parseWhole(right), counted: parseWhole(counted) };
  });
}

/** Per namespace and meter; where several grains of one window differ, the first that does tells it. */
function sumMiscounts(mismatches: readonly RollupMismatch[]): Miscount[] {
  const minutes = new Set(mismatches.filter(({ grain }) => grain === 'minute').map(toDay));
  const telling = mismatches.filter((mismatch) => mismatch.grain === 'minute' || !minutes.has(toDay(mismatch)));
  const groups = Map.groupBy(telling, ({ namespace, meter }) => `${namespace} ${meter}`);
  return [...groups.values()].flatMap(([first, ...more]) => {
    if (first === undefined) return [];
    const { namespace, meter } = first;
    const sum = (of: (one: RollupMismatch) => bigint) => more.reduce((total, one) => total + of(one), of(first));
    const quantities = { right: sum(({ right }) => right), counted: sum(({ counted }) => counted) };
    return [{ account: accountOf(namespace), namespace, meter, ...quantities }];
  });
}

/** Windows begin with their day, whatever their grain. */
function toDay({ namespace, meter, window }: RollupMismatch): string {
  return `${namespace} ${meter} ${window.slice(0, 10)}`;
}
