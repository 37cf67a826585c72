// Turns a fetched stretch of one partition into a block: columns of events for the engine, rejects. Pure: the
// same records give the same bytes, so writing a block twice writes the same rows twice, which the truth table replaces.
// Copies of an event within a block stay: the engine removes them like all others.

import type { RejectReason } from '../domain/contracts/reject-reasons.ts';
import { EVENT_LIMITS } from '../domain/contracts/topics.ts';
import { periodOf, type Period } from '../domain/period.ts';
import { LoggedRecord } from '../platform/kafka-record.ts';
import type { LogRecord, LogRecords } from '../platform/kafka.ts';
import { NO_CASES, type CaseKeys } from './case.ts';
import { EventColumns } from './event-columns.ts';
import { PlainLine } from './plain-line.ts';
import { validate, type Rejected } from './validate.ts';

/** Where a block stands in the log: [firstOffset, endOffset) of a partition. */
export type LogRange = {
  readonly topic: string;
  readonly partition: number;
  /** Of the topic: raised when its partition layout changes. */
  readonly generation: number;
  readonly firstOffset: bigint;
  readonly endOffset: bigint;
};

/** Rows of a text format. */
export type Rows = { readonly count: number; readonly bytes: Buffer };

export type Block = LogRange & {
  /** Unique per attempt to store the range. */
  readonly block: string;
  readonly messages: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly valueBytes: number;
  readonly events: EventColumns;
  /** TabSeparated, by month (YYYY-MM) of their arrival, as their table is partitioned. */
  readonly rejects: ReadonlyMap<string, Rows>;
  readonly reasons: Readonly<Partial<Record<RejectReason, number>>>;
};

export const REJECT_COLUMNS = [
  'generation',
  'kafka_partition',
  'kafka_offset',
  'arrived_at',
  'reason',
  'field',
  'subject',
  'source',
  'key',
  'payload',
  'payload_bytes',
] as const;

/** Of a record beyond the event limit only the head is kept: enough to see what it was and who sent it. */
const OVERSIZED_HEAD_BYTES = 1024;
const FIELD_CHARACTERS_MAX = 64;
/** Arrivals outside 2002 to 2105 come from a broken clock and can't be stored as they are; the record itself is kept. */
const ARRIVAL_MIN_MS = Date.UTC(2002, 0, 1);
const ARRIVAL_MAX_MS = Date.UTC(2106, 0, 1) - 1;

/** Its slots hold what any block may need; it keeps nothing that a result depends on. */
const plain = new PlainLine();

/** `attempt` makes the block id unique among redeliveries of the same range; `cases` are the keys of operators' cases. */
export function buildBlock(range: LogRange, records: LogRecords, attempt: string, cases: CaseKeys = NO_CASES): Block {
  const name = `${range.topic}-${range.partition}-${range.firstOffset}-${range.endOffset}-${attempt}`;
  const place = `${range.generation}\t${range.partition}\t`;
  const events = new EventColumns(range, records.length);
  const rejects = new Monthly();
  const reasons: Partial<Record<RejectReason, number>> = {};
  let valueBytes = 0;
  let rejected = 0;

  for (const record of records) {
    if (record instanceof LoggedRecord) {
      valueBytes += record.valueEnd - record.valueAt;
      if (plain.read(record)) {
        events.addLine(plain, record);
        continue;
      }
    }
    const { key, value } = record;
    const arrivalMs = Number(record.timestamp);
    if (!(record instanceof LoggedRecord)) valueBytes += value?.length ?? 0;
    const verdict = validate(key, value, arrivalMs, cases);
    if (verdict.accepted) {
      events.addEvent(verdict.event, Number(record.offset), arrivalMs);
    } else {
      const arrivedMs = Math.min(Math.max(arrivalMs || 0, ARRIVAL_MIN_MS), ARRIVAL_MAX_MS);
      rejects.of(arrivedMs).push(`${place}${record.offset}\t${arrivedMs}\t${formatReject(verdict, record)}\n`);
      reasons[verdict.reason] = (reasons[verdict.reason] ?? 0) + 1;
      rejected += 1;
    }
  }
  return {
    ...range,
    block: name,
    messages: records.length,
    accepted: events.count,
    rejected,
    valueBytes,
    events,
    rejects: rejects.finish(),
    reasons,
  };
}

function formatReject(verdict: Rejected, { key, value }: LogRecord): string {
  const bytes = value ?? Buffer.alloc(0);
  const kept = bytes.length > EVENT_LIMITS.lineBytesMax ? bytes.subarray(0, OVERSIZED_HEAD_BYTES) : bytes;
  const columns = [
    verdict.reason,
    escapeTsv(verdict.field.slice(0, FIELD_CHARACTERS_MAX)),
    escapeTsv(verdict.subject),
    escapeTsv(verdict.source),
    escapeTsv((key ?? Buffer.alloc(0)).subarray(0, OVERSIZED_HEAD_BYTES).toString('utf8')),
    kept.toString('base64'),
    bytes.length,
  ];
  return columns.join('\t');
}

const TSV_SPECIAL = /[\\\t\n\r\0\b\f]/;
const TSV_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\0': '\\0',
  '\b': '\\b',
  '\f': '\\f',
};

/** One field of ClickHouse's TabSeparated format. */
export function escapeTsv(text: string): string {
  if (!TSV_SPECIAL.test(text)) return text;
  return text.replace(/[\\\t\n\r\0\b\f]/g, (character) => TSV_ESCAPES[character] ?? character);
}

/** Text lines by month; neighbours mostly share it. */
class Monthly {
  private readonly months = new Map<string, { period: Period; lines: string[] }>();
  private current: { period: Period; lines: string[] } | undefined;

  of(atMs: number): string[] {
    const { current } = this;
    if (current !== undefined && atMs >= current.period.startAtMs && atMs < current.period.endAtMs) {
      return current.lines;
    }
    const period = periodOf(atMs);
    const month = this.months.get(period.key) ?? { period, lines: [] };
    this.months.set(period.key, month);
    this.current = month;
    return month.lines;
  }

  finish(): Map<string, Rows> {
    return new Map(
      [...this.months].map(([key, { lines }]) => [key, { count: lines.length, bytes: Buffer.from(lines.join('')) }]),
    );
  }
}
