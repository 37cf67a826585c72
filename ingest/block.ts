// Turns a fetched stretch of one partition into a block: rows for the engine, rejects, touched minutes. Pure: the same
// records give the same bytes, so writing a block twice writes the same rows twice, which the truth table replaces.
// Copies of an event within a block stay: the engine removes them like all others.

import type { RejectReason } from '../domain/contracts/reject-reasons.ts';
import { EVENT_LIMITS } from '../domain/contracts/topics.ts';
import type { UsageEvent } from '../domain/event.ts';
import { periodOf, type Period } from '../domain/period.ts';
import type { LogRecord } from '../platform/kafka.ts';
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

export type Rows = { readonly count: number; readonly tsv: Buffer };

export type Block = LogRange & {
  /** Unique per attempt to store the range. */
  readonly block: string;
  readonly messages: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly valueBytes: number;
  /** Truth rows and rejects by month (YYYY-MM) of their table's partition key. */
  readonly events: ReadonlyMap<string, Rows>;
  readonly rejects: ReadonlyMap<string, Rows>;
  readonly reasons: Readonly<Partial<Record<RejectReason, number>>>;
  readonly dirty: Rows;
};

export const EVENT_COLUMNS = [
  'namespace',
  'type',
  'time',
  'source',
  'id',
  'quantity',
  'voids',
  'generation',
  'kafka_partition',
  'kafka_offset',
  'arrived_at',
] as const;

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

export const DIRTY_COLUMNS = ['block', 'namespace', 'minute'] as const;

/** Of a record beyond the event limit only the head is kept: enough to see what it was and who sent it. */
const OVERSIZED_HEAD_BYTES = 1024;
const FIELD_CHARACTERS_MAX = 64;
const MINUTE_MS = 60_000;
/** Arrivals outside 2002 to 2105 come from a broken clock and can't be stored as they are; the record itself is kept. */
const ARRIVAL_MIN_MS = Date.UTC(2002, 0, 1);
const ARRIVAL_MAX_MS = Date.UTC(2106, 0, 1) - 1;

/** `attempt` makes the block id unique among redeliveries of the same range. */
export function buildBlock(range: LogRange, records: readonly LogRecord[], attempt: string): Block {
  const name = `${range.topic}-${range.partition}-${range.firstOffset}-${range.endOffset}-${attempt}`;
  const place = `${range.generation}\t${range.partition}\t`;
  const events = new MonthlyRows();
  const rejects = new MonthlyRows();
  const minutes = new TouchedMinutes();
  const reasons: Partial<Record<RejectReason, number>> = {};
  let valueBytes = 0;

  for (const record of records) {
    const arrivalMs = Number(record.timestamp);
    valueBytes += record.value?.length ?? 0;
    const verdict = validate(record.key, record.value, arrivalMs);
    if (verdict.accepted) {
      const { event } = verdict;
      // kafkajs gives offset and timestamp as decimal text, which is what the engine takes.
      events.add(
        event.atMs,
        `${formatEvent(event)}${place}${record.offset}\t${record.timestamp}\n`,
        isAscii(event, record),
      );
      minutes.add(event.subject, Math.floor(event.atMs / MINUTE_MS));
    } else {
      const arrivedMs = Math.min(Math.max(arrivalMs || 0, ARRIVAL_MIN_MS), ARRIVAL_MAX_MS);
      rejects.add(arrivedMs, `${place}${record.offset}\t${arrivedMs}\t${formatReject(verdict, record)}\n`);
      reasons[verdict.reason] = (reasons[verdict.reason] ?? 0) + 1;
    }
  }
  return {
    ...range,
    block: name,
    messages: records.length,
    accepted: events.count,
    rejected: rejects.count,
    valueBytes,
    events: events.finish(),
    rejects: rejects.finish(),
    reasons,
    dirty: minutes.finish(escapeTsv(name)),
  };
}

/** The engine reads thirteen digits as epoch milliseconds. Of what needs escaping, ids may hold backslashes only. */
function formatEvent(event: UsageEvent): string {
  const { subject, type, atMs, source, quantity } = event;
  const id = event.id.includes('\\') ? escapeTsv(event.id) : event.id;
  const voids = event.voids === '' ? '' : escapeTsv(event.voids);
  return `${subject}\t${type}\t${atMs}\t${source}\t${id}\t${quantity}\t${voids}\t`;
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

/** Everything but ids is ASCII by grammar, and a matching key with a byte for each character says that its id is too. */
function isAscii({ subject, source, id, voids }: UsageEvent, { key }: LogRecord): boolean {
  return voids === '' && key?.length === subject.length + source.length + id.length + 2;
}

/** Collects lines by calendar month; neighbours in the log mostly share theirs. */
class MonthlyRows {
  count = 0;
  private readonly months = new Map<string, { period: Period; rows: RowText }>();
  private current: { period: Period; rows: RowText } | undefined;

  add(atMs: number, line: string, ascii = false): void {
    let month = this.current;
    if (month === undefined || atMs < month.period.startAtMs || atMs >= month.period.endAtMs) {
      const period = periodOf(atMs);
      month = this.months.get(period.key) ?? { period, rows: new RowText() };
      this.months.set(period.key, month);
      this.current = month;
    }
    month.rows.add(line, ascii);
    this.count += 1;
  }

  finish(): Map<string, Rows> {
    return new Map([...this.months].map(([key, { rows }]) => [key, rows.finish()]));
  }
}

/**
 * Lines as bytes, written as they come: joined strings would keep every small string of a block alive until the end,
 * and the garbage collector would move them all, which costs more than parsing them.
 */
class RowText {
  private bytes = Buffer.allocUnsafe(64 * 1024);
  private length = 0;
  private count = 0;

  add(line: string, ascii: boolean): void {
    const most = this.length + line.length * 3;
    if (most > this.bytes.length) this.grow(most);
    this.length += this.bytes.write(line, this.length, ascii ? 'latin1' : 'utf8');
    this.count += 1;
  }

  finish(): Rows {
    return { count: this.count, tsv: this.bytes.subarray(0, this.length) };
  }

  private grow(atLeast: number): void {
    const larger = Buffer.allocUnsafe(Math.max(atLeast, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

class TouchedMinutes {
  private readonly byNamespace = new Map<string, Set<number>>();

  add(namespace: string, minute: number): void {
    const minutes = this.byNamespace.get(namespace);
    if (minutes === undefined) this.byNamespace.set(namespace, new Set([minute]));
    else minutes.add(minute);
  }

  finish(block: string): Rows {
    const rows = new RowText();
    for (const [namespace, minutes] of this.byNamespace) {
      for (const minute of minutes) rows.add(`${block}\t${namespace}\t${minute * 60}\n`, true);
    }
    return rows.finish();
  }
}
