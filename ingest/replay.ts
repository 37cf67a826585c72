// Sends a rejected record again under an operator's case (case.ts), as it was or corrected, and proves what came of it:
// the namespace's events of that hour are counted before and after, and the identity stands in the truth once.
// When it dies: the request stands in reject_replays without an outcome. Replaying again is harmless, because the event
// keeps its identity and copies count once.

import { setTimeout as delay } from 'node:timers/promises';
import { sha256 } from '../domain/canonical.ts';
import { invariant, TrueupError } from '../domain/contracts/errors.ts';
import { REJECT_NEXT_STEP } from '../domain/contracts/reject-reasons.ts';
import { identityKey, type UsageEvent } from '../domain/event.ts';
import { hourOf, HOUR_MS, periodOf } from '../domain/period.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import type { Kafka } from '../platform/kafka.ts';
import type { Postgres } from '../platform/postgres.ts';
import { CASE_ATTRIBUTE, signCase, type CaseKeys } from './case.ts';
import type { Reject } from './rejects.ts';
import { parseRfc3339 } from './rfc3339.ts';
import type { IngestTables } from './tables.ts';
import { validate } from './validate.ts';

export type ReplayDeps = {
  readonly clickhouse: ClickHouse;
  readonly db: Postgres<IngestTables>;
  readonly kafka: Kafka;
  readonly topic: string;
  readonly cases: CaseKeys;
  /** Has retention taken up this period? Its truth may be gone, so nothing may be added to it. */
  isArchived(periodKey: string): Promise<boolean>;
};

export type ReplayRequest = {
  readonly reject: Reject;
  readonly caseId: string;
  readonly operator: string;
  readonly why: string;
  /** Instead of the rejected record's own text. */
  readonly corrected?: string;
  /** Business time: the arrival of the copy that is sent. */
  readonly nowMs: number;
  readonly storedWithinMs?: number;
};

export type Replay = {
  readonly caseId: string;
  readonly event: UsageEvent;
  /** COUNTED_BEFORE: the same event had been counted already, and still counts once. */
  readonly outcome: 'COUNTED' | 'COUNTED_BEFORE';
  /** Of the copy that counts. */
  readonly partition: number;
  readonly offset: string;
  /** The namespace's events and quantity in the event's hour. */
  readonly before: HourCount;
  readonly after: HourCount;
};

export type HourCount = { readonly events: bigint; readonly quantity: string };

const STORED_WITHIN_MS = 60_000;
const POLL_MS = 200;

export async function replayReject(deps: ReplayDeps, request: ReplayRequest): Promise<Replay> {
  const { reject, caseId } = request;
  const { event, line } = prepare(request, deps.cases);
  const period = periodOf(event.atMs).key;
  if (await deps.isArchived(period)) {
    throw refused(`the raw events of ${period} are archived`, 'settle it with an invoice item or a credit note');
  }
  const known = await fetchCopies(deps.clickhouse, event);
  if (known.some((copy) => !copy.same)) {
    throw refused(
      `"${identityKey(event)}" has been counted with another time, type or quantity, and the first copy wins`,
      'void the counted event and send the right one under a new id',
    );
  }
  const before = await fetchHour(deps.clickhouse, event);
  const { topic } = deps;
  const { id } = await deps.db
    .insertInto('reject_replays')
    .values({
      case_id: caseId,
      operator: request.operator,
      why: request.why,
      topic,
      partition: reject.partition,
      offset: reject.offset,
      subject: event.subject,
      source: event.source,
      event_id: event.id,
      line_sha256: sha256(line),
      corrected: request.corrected !== undefined,
      events_before: before.events.toString(),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  const sentAfter = await deps.kafka.fetchEndOffsets(topic);
  await send(deps, event, { line, nowMs: request.nowMs });
  await untilStored(deps, await deps.kafka.fetchEndOffsets(topic), request.storedWithinMs ?? STORED_WITHIN_MS);

  const [copy, ...others] = (await fetchCopies(deps.clickhouse, event)).filter(({ same }) => same);
  if (copy === undefined) throw await explainMissing(deps, event, sentAfter);
  invariant(others.length === 0, 'I2', `"${identityKey(event)}" stands in the truth ${others.length + 1} times`);
  const after = await fetchHour(deps.clickhouse, event);
  const outcome = known.length > 0 ? 'COUNTED_BEFORE' : 'COUNTED';
  await deps.db
    .updateTable('reject_replays')
    .set({
      outcome,
      stored_partition: copy.partition,
      stored_offset: copy.offset,
      events_after: after.events.toString(),
      finished_at: new Date(),
    })
    .where('id', '=', id)
    .execute();
  return { caseId, event, outcome, partition: copy.partition, offset: copy.offset, before, after };
}

/** The line to send, checked as the sink will check it. */
function prepare(request: ReplayRequest, cases: CaseKeys): { event: UsageEvent; line: string } {
  const { reject, caseId, corrected, nowMs } = request;
  if (corrected === undefined && reject.payloadBytes !== reject.payload.length) {
    throw refused('only the head of this record was kept', 'give the corrected record with --record');
  }
  const text = corrected ?? reject.payload.toString('utf8');
  // Without a key of its own, and with its time taken for now, only what the record says decides.
  const attributes = parseAttributes(text);
  delete attributes[CASE_ATTRIBUTE];
  const { subject, source, id, time } = attributes;
  const key = Buffer.from(`${String(subject)} ${String(source)} ${String(id)}`);
  const timeMs = parseRfc3339(String(time)) ?? nowMs;
  const plain = validate(key, Buffer.from(JSON.stringify(attributes)), Math.min(nowMs, timeMs));
  if (!plain.accepted) throw unusable(plain.reason, plain.field);
  const line = JSON.stringify({ ...attributes, [CASE_ATTRIBUTE]: signCase(caseId, plain.event, cases) });
  const verdict = validate(key, Buffer.from(line), nowMs, cases);
  if (!verdict.accepted) throw unusable(verdict.reason, verdict.field);
  return { event: verdict.event, line };
}

function parseAttributes(text: string): Record<string, unknown> {
  try {
    const parsed = JSON.parse(text) as unknown;
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      return { ...(parsed as Record<string, unknown>) };
    }
  } catch {
    // Falls through to the same refusal.
  }
  throw refused('the record is not a JSON object', 'give the corrected record with --record');
}

function unusable(reason: keyof typeof REJECT_NEXT_STEP, field: string): TrueupError {
  const where = field === '' ? '' : ` (${field})`;
  return refused(`the record would be rejected again: ${reason}${where}`, REJECT_NEXT_STEP[reason]);
}

type Outgoing = { readonly line: string; readonly nowMs: number };

async function send({ kafka, topic }: ReplayDeps, event: UsageEvent, { line, nowMs }: Outgoing): Promise<void> {
  const producer = await kafka.createProducer();
  try {
    await producer.send(topic, [{ key: identityKey(event), value: line, timestampMs: nowMs }]);
  } finally {
    await producer.close();
  }
}

/** Resolves when the block log has reached `ends`. */
async function untilStored({ db, topic }: ReplayDeps, ends: readonly bigint[], withinMs: number): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const rows = await db
      .selectFrom('ingest_blocks')
      .select(({ fn }) => ['partition', fn.max<string>('end_offset').as('end_offset')])
      .where('topic', '=', topic)
      .groupBy('partition')
      .execute();
    const stored = new Map(rows.map((row) => [row.partition, BigInt(row.end_offset)]));
    if (ends.every((end, partition) => (stored.get(partition) ?? 0n) >= end)) return;
    if (performance.now() > deadlineMs) {
      throw new TrueupError({
        kind: 'unavailable',
        code: 'ROLLUP_BEHIND',
        message: 'the record was sent, but the sink has not stored it yet',
        next: 'replay it again once the sink has caught up: it counts once',
      });
    }
    await delay(POLL_MS);
  }
}

type StoredCopy = { readonly partition: number; readonly offset: string; readonly same: boolean };

/** Every content under which the identity stands in the truth. */
async function fetchCopies(clickhouse: ClickHouse, event: UsageEvent): Promise<StoredCopy[]> {
  const rows = await clickhouse.query<{ partition: number; offset: string; same: number }>(
    `SELECT kafka_partition AS partition, toString(kafka_offset) AS offset,
       time = fromUnixTimestamp64Milli({atMs:Int64}, 'UTC') AND type = {type:String}
         AND quantity = toDecimal128({quantity:String}, 12) AS same
     FROM usage_events_v1 FINAL
     WHERE namespace = {subject:String} AND source = {source:String} AND id = {id:String}
     ORDER BY kafka_offset`,
    { ...event },
  );
  return rows.map((row) => ({ ...row, same: row.same === 1 }));
}

async function fetchHour(clickhouse: ClickHouse, { subject, atMs }: UsageEvent): Promise<HourCount> {
  const fromMs = hourOf(atMs);
  const [row] = await clickhouse.query<{ events: string; units: string }>(
    `SELECT uniqExact(id_hash) AS events, toString(sum(quantity)) AS units FROM usage_events_v1 FINAL
     WHERE namespace = {subject:String}
       AND time >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')`,
    { subject, fromMs, toMs: fromMs + HOUR_MS },
  );
  invariant(row !== undefined, 'I6', 'the truth did not say what the hour holds');
  return { events: BigInt(row.events), quantity: row.units };
}

async function explainMissing(deps: ReplayDeps, event: UsageEvent, sentAfter: readonly bigint[]): Promise<TrueupError> {
  const [again] = await deps.clickhouse.query<{ reason: string; partition: number; offset: string }>(
    `SELECT toString(reason) AS reason, kafka_partition AS partition, toString(kafka_offset) AS offset
     FROM usage_rejected_v1 FINAL
     WHERE key = {key:String} AND kafka_offset >= arrayElement({after:Array(UInt64)}, kafka_partition + 1)
     ORDER BY kafka_offset DESC LIMIT 1`,
    { key: identityKey(event), after: [...sentAfter] },
  );
  if (again === undefined)
    return refused('the record was sent but is not in the truth', 'look at the sink, then replay');
  return refused(
    `the sink rejected it again as ${again.reason}, at ${again.partition}:${again.offset}`,
    'the sinks must run with the TRUEUP_CASE_KEYS that signed the case',
  );
}

function refused(message: string, next: string): TrueupError {
  return new TrueupError({ kind: 'rejected', code: 'REPLAY_REFUSED', message, next });
}
