// From a billed hour to the events behind it, and from an event id to what became of it. Reads only.

import { catalogueColumns, type MeterName } from '../../domain/meter.ts';
import { HOUR_MS, type Period } from '../../domain/period.ts';
import type { ClickHouse } from '../../platform/clickhouse.ts';
import { formatWindow } from '../parameters.ts';
import { QUERIES } from '../queries.ts';
import type { Barrier } from '../usage.ts';
import { traceEvents, type StoredEvent, type TracedEvent } from './fate.ts';

type Row = {
  namespace: string;
  type: string;
  source: string;
  id: string;
  quantity_text: string;
  voids: string;
  at_ms: string;
  arrived_ms: string;
  partition: number;
  offset: string;
  conflict: number;
};

export type HourOf = {
  readonly account: string;
  readonly meter: MeterName;
  readonly hourAtMs: number;
  readonly limit: number;
};

/** The stored events of one account, meter and hour, and of each what became of it by `barrier`. */
export async function fetchHourEvents(
  clickhouse: ClickHouse,
  { account, meter, hourAtMs, limit }: HourOf,
  barrier: Barrier | null,
): Promise<TracedEvent[]> {
  const { types, meters } = catalogueColumns();
  const rows = await clickhouse.query<Row>(QUERIES.eventsOfHour, {
    account,
    limit,
    types: types.filter((_, index) => meters[index] === meter),
    ...formatWindow({ startAtMs: hourAtMs, endAtMs: hourAtMs + HOUR_MS }),
  });
  return traceEvents(
    rows.map((row) => fromRow(row)),
    barrier,
  );
}

export type EventRef = {
  readonly id: string;
  readonly subject?: string | undefined;
  readonly source?: string | undefined;
};

const COPIES_MAX = 1_000;

/** Every stored copy of an id, and the voids of it. An id repeats across subjects and sources; name them to narrow it. */
export async function fetchEventCopies(
  clickhouse: ClickHouse,
  { id, subject = '', source = '' }: EventRef,
  barrierOf: (period: string) => Barrier | null,
  periodOf: (atMs: number) => Period,
): Promise<TracedEvent[]> {
  const rows = await clickhouse.query<Row>(QUERIES.copiesOfEvent, { id, subject, source, limit: COPIES_MAX });
  const events = rows.map((row) => fromRow(row));
  const byPeriod = Map.groupBy(events, ({ atMs }) => periodOf(atMs).key);
  return [...byPeriod].flatMap(([period, group]) => traceEvents(group, barrierOf(period)));
}

function fromRow(row: Row): StoredEvent {
  return {
    namespace: row.namespace,
    type: row.type,
    source: row.source,
    id: row.id,
    quantity: row.quantity_text,
    voids: row.voids,
    atMs: Number(row.at_ms),
    arrivedAtMs: Number(row.arrived_ms),
    partition: row.partition,
    offset: BigInt(row.offset),
    conflict: row.conflict !== 0,
  };
}
