// Looking at rejects: by account, source, reason and time, or one by its coordinates. Reads only.

import { TrueupError } from '../domain/contracts/errors.ts';
import type { RejectReason } from '../domain/contracts/reject-reasons.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';

export type Reject = {
  readonly partition: number;
  readonly offset: string;
  readonly arrivedAtMs: number;
  /** What the record says about when it happened; null where that can't be read. */
  readonly happenedAtMs: number | null;
  readonly reason: RejectReason;
  /** The attribute at fault; empty when it is the record as a whole. */
  readonly field: string;
  readonly subject: string;
  readonly source: string;
  readonly key: string;
  /** The record's bytes; of an oversized one its head. */
  readonly payload: Buffer;
  readonly payloadBytes: number;
};

export type RejectFilter = {
  readonly account?: string;
  readonly source?: string;
  readonly reason?: RejectReason;
  /** Arrival, epoch ms, half-open. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** The event's own time, epoch ms, half-open; records whose time can't be read are in no such window. */
  readonly happenedFromMs?: number;
  readonly happenedToMs?: number;
  readonly limit: number;
};

type Row = {
  partition: number;
  offset: string;
  arrived_ms: string;
  happened_ms: string | null;
  reason: RejectReason;
  field: string;
  subject: string;
  source: string;
  key: string;
  payload: string;
  payload_bytes: number;
};

/** Out of the record itself: of one that can't be counted nothing else was kept. */
const HAPPENED_AT = `parseDateTime64BestEffortOrNull(JSONExtractString(tryBase64Decode(payload), 'time'), 3, 'UTC')`;

const COLUMNS = `kafka_partition AS partition, toString(kafka_offset) AS offset,
  toString(toUnixTimestamp64Milli(arrived_at)) AS arrived_ms, toString(toUnixTimestamp64Milli(${HAPPENED_AT})) AS happened_ms,
  toString(reason) AS reason, toString(field) AS field,
  subject, source, key, payload, payload_bytes`;

/** Newest first. An account is what its namespaces end with, as far as the record could be read. */
export async function fetchRejects(clickhouse: ClickHouse, filter: RejectFilter): Promise<Reject[]> {
  const conditions: string[] = [];
  const parameters: Record<string, unknown> = { limit: filter.limit };
  const add = (name: string, value: unknown, condition: string) => {
    if (value === undefined) return;
    conditions.push(condition);
    parameters[name] = value;
  };
  add('account', filter.account, `endsWith(subject, concat('.', {account:String}))`);
  add('source', filter.source, 'source = {source:String}');
  add('reason', filter.reason, 'reason = {reason:String}');
  add('fromMs', filter.fromMs, `arrived_at >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')`);
  add('toMs', filter.toMs, `arrived_at < fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')`);
  const [from, to] = [filter.happenedFromMs, filter.happenedToMs];
  add('happenedFromMs', from, `${HAPPENED_AT} >= fromUnixTimestamp64Milli({happenedFromMs:Int64}, 'UTC')`);
  add('happenedToMs', to, `${HAPPENED_AT} < fromUnixTimestamp64Milli({happenedToMs:Int64}, 'UTC')`);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const rows = await clickhouse.query<Row>(
    `SELECT ${COLUMNS} FROM usage_rejected_v1 FINAL ${where}
     ORDER BY arrived_at DESC, kafka_partition, kafka_offset DESC LIMIT {limit:UInt32}`,
    parameters,
  );
  return rows.map(toReject);
}

/** Throws `rejected` REJECT_UNKNOWN when nothing was rejected at these coordinates. */
export async function fetchReject(clickhouse: ClickHouse, partition: number, offset: string): Promise<Reject> {
  const [row] = await clickhouse.query<Row>(
    `SELECT ${COLUMNS} FROM usage_rejected_v1 FINAL
     WHERE kafka_partition = {partition:UInt16} AND kafka_offset = {offset:UInt64}`,
    { partition, offset },
  );
  if (row !== undefined) return toReject(row);
  throw new TrueupError({
    kind: 'rejected',
    code: 'REJECT_UNKNOWN',
    message: `no record was rejected at ${partition}:${offset}`,
    next: 'find its coordinates with "trueup rejects list"',
  });
}

function toReject(row: Row): Reject {
  const { partition, offset, reason, field, subject, source, key } = row;
  return {
    partition,
    offset,
    reason,
    field,
    subject,
    source,
    key,
    arrivedAtMs: Number(row.arrived_ms),
    happenedAtMs: row.happened_ms === null ? null : Number(row.happened_ms),
    payload: Buffer.from(row.payload, 'base64'),
    payloadBytes: row.payload_bytes,
  };
}
