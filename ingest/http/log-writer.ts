// Puts the records of concurrent requests into the log together: one send is under way, and what comes meanwhile forms the
// next one. Single-event requests then cost a share of a round trip instead of a round trip each.
// Promises: `acked` resolves only after the broker has every record; records keep their order; what waits too long is told
// so and, if it was not being sent yet, dropped. A record told to be late may still arrive: its identity counts once.
// When the process dies, requests in hand get no answer, and their senders send them again.

import { TrueupError } from '../../domain/contracts/errors.ts';
import type { OutgoingRecord } from '../../platform/kafka.ts';

export type Appended = {
  /** Throws `unavailable` when the broker did not acknowledge in time. */
  readonly acked: Promise<void>;
  /** Resolves when no byte of it is held any more; never rejects. */
  readonly settled: Promise<void>;
};

export type LogWriter = {
  append(records: readonly OutgoingRecord[]): Appended;
  /** How long the oldest unanswered send or record has been waiting. */
  waitingMs(): number;
  /** Resolves when nothing is under way any more. */
  drain(): Promise<void>;
};

export type LogWriterOptions = {
  readonly send: (records: readonly OutgoingRecord[]) => Promise<void>;
  readonly ackTimeoutMs: number;
  /** A group below the broker's limit of one batch (1 MiB), even if all of it goes to one partition. */
  readonly groupBytesMax?: number;
};

type Part = {
  readonly records: readonly OutgoingRecord[];
  readonly bytes: number;
  readonly sinceMs: number;
  readonly settle: (error?: unknown) => void;
};

/** What one batch of the door has at most, so the topic must take it. */
export const GROUP_BYTES_MAX = 512 * 1024;
/** Batch framing around one record and its trace header, generously. */
const RECORD_OVERHEAD_BYTES = 64;
const TRACE_HEADER_BYTES = 80;

export function createLogWriter({ send, ackTimeoutMs, groupBytesMax = GROUP_BYTES_MAX }: LogWriterOptions): LogWriter {
  let waiting: Part[] = [];
  let sending: Part[] = [];
  let running: Promise<void> = Promise.resolve();

  const run = async () => {
    while (waiting.length > 0) {
      sending = takeGroup(waiting, groupBytesMax);
      waiting = waiting.slice(sending.length);
      let failure: unknown;
      try {
        await send(sending.flatMap(({ records }) => records));
      } catch (error) {
        failure = error;
      }
      const done = sending;
      sending = [];
      for (const part of done) part.settle(failure);
    }
  };

  const appendPart = (records: readonly OutgoingRecord[]): Appended => {
    const { promise: settled, resolve } = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const part: Part = {
      records,
      bytes: bytesOf(records),
      sinceMs: performance.now(),
      settle: (error) => {
        clearTimeout(timer);
        if (error === undefined) answer.resolve();
        else answer.reject(error);
        resolve();
      },
    };
    const timer = setTimeout(() => {
      if (waiting.includes(part)) {
        waiting = waiting.filter((one) => one !== part);
        part.settle(notAcknowledged(ackTimeoutMs));
      } else answer.reject(notAcknowledged(ackTimeoutMs));
    }, ackTimeoutMs);
    waiting.push(part);
    if (waiting.length === 1 && sending.length === 0) running = running.then(run);
    return { acked: answer.promise, settled };
  };

  return {
    append: (records) => {
      const parts = cut(records, groupBytesMax).map(appendPart);
      const acked = Promise.all(parts.map(async (part) => part.acked)).then(() => undefined);
      // A caller that isn't listening yet, or not any more, must not turn a late ack into the end of the process.
      acked.catch(() => undefined);
      return { acked, settled: Promise.all(parts.map(async (part) => part.settled)).then(() => undefined) };
    },
    waitingMs: () => {
      const oldest = sending[0] ?? waiting[0];
      return oldest === undefined ? 0 : performance.now() - oldest.sinceMs;
    },
    drain: async () => {
      while (waiting.length > 0 || sending.length > 0) await running;
    },
  };
}

function takeGroup(waiting: readonly Part[], bytesMax: number): Part[] {
  let bytes = 0;
  const end = waiting.findIndex((part, index) => {
    bytes += part.bytes;
    return index > 0 && bytes > bytesMax;
  });
  return waiting.slice(0, end === -1 ? waiting.length : end);
}

/** Pieces that fit a group each. */
function cut(records: readonly OutgoingRecord[], bytesMax: number): OutgoingRecord[][] {
  const pieces: OutgoingRecord[][] = [];
  let room = 0;
  for (const record of records) {
    const bytes = bytesOf([record]);
    const piece = pieces.at(-1);
    if (piece === undefined || bytes > room) {
      pieces.push([record]);
      room = bytesMax - bytes;
    } else {
      piece.push(record);
      room -= bytes;
    }
  }
  return pieces;
}

function bytesOf(records: readonly OutgoingRecord[]): number {
  return records.reduce(
    (sum, { key, value, traceparent }) =>
      sum +
      (key?.length ?? 0) +
      (value?.length ?? 0) +
      RECORD_OVERHEAD_BYTES +
      (traceparent === undefined ? 0 : TRACE_HEADER_BYTES),
    0,
  );
}

function notAcknowledged(afterMs: number): TrueupError {
  return new TrueupError({
    kind: 'unavailable',
    code: 'KAFKA_UNAVAILABLE',
    message: `the broker did not acknowledge within ${afterMs} ms`,
  });
}
