// Records as they come out of a fetch, laid into bytes of their own the way the broker's record format does.

import { LoggedRecord } from '../../platform/kafka-record.ts';
import type { LogRecord } from '../../platform/kafka.ts';

export function toLogged({ key, value, timestamp, offset }: LogRecord): LoggedRecord {
  const body = Buffer.concat([Buffer.from([0, 0, 0]), field(key), field(value), Buffer.from([0])]);
  const bytes = Buffer.concat([varint(body.length), body]);
  return new LoggedRecord(bytes, 0, {
    firstOffset: Number(offset),
    lastOffset: Number(offset),
    firstTimestampMs: Number(timestamp),
    logAppendMs: undefined,
    producerId: '-1',
    inTransaction: false,
    isControlBatch: false,
  });
}

function field(bytes: Buffer | null): Buffer {
  return bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]);
}

/** Zigzag. */
function varint(value: number): Buffer {
  let rest = value < 0 ? -value * 2 - 1 : value * 2;
  const bytes: number[] = [];
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(bytes);
}
