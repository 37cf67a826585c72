// The filled topic all contenders read, and the same lines in memory for those that don't read Kafka.
// A topic left by an earlier run is used again when its end offsets add up; its bytes follow from its name.

import { openDoor } from '../fixtures/dataplane/kafka.ts';
import type { Kafka } from '../platform/kafka.ts';
import { retryUnavailable } from '../platform/retry.ts';
import { generateEvents, type EventShape, type Message, type Totals } from './events.ts';

export const PARTITIONS = 8;
const SEND_MESSAGES = 20_000;
const LINE_END = 0x0a;
/** More than any generated line takes. */
const LINE_BYTES_MAX = 200;

export type FilledTopic = {
  readonly topic: string;
  readonly totals: Totals;
  /** All values in log order of emission, each ended by a line end. */
  readonly lines: Buffer;
  readonly bytesPerEvent: number;
};

export async function fillTopic(kafka: Kafka, brokers: string, shape: EventShape): Promise<FilledTopic> {
  const topic = `bench.v1.${shape.messages}-${shape.namespaces}-${shape.minutes}`;
  await kafka.createTopic(topic, { partitions: PARTITIONS, config: { 'retention.ms': '-1' } });
  // A topic just made has no leaders for a moment.
  const ends = await retryUnavailable(async () => kafka.fetchEndOffsets(topic));
  const held = Number(ends.reduce((sum, end) => sum + end, 0n));
  if (held !== 0 && held !== shape.messages) {
    throw new Error(`topic ${topic} holds ${held} of ${shape.messages} messages: remove .stack/bench and run again`);
  }

  const lines = new Lines(shape.messages * LINE_BYTES_MAX);
  const door = await openDoor(brokers.split(','));
  try {
    const events = generateEvents(shape);
    let batch: Message[] = [];
    let step = events.next();
    for (; step.done !== true; step = events.next()) {
      lines.add(step.value.value);
      if (held === 0) batch.push(step.value);
      // Sent as they are made: millions of messages would not fit into memory.
      if (batch.length === SEND_MESSAGES) {
        await door.insertMessages(topic, batch);
        batch = [];
      }
    }
    if (batch.length > 0) await door.insertMessages(topic, batch);
    const all = lines.finish();
    return { topic, totals: step.value, lines: all, bytesPerEvent: all.length / shape.messages - 1 };
  } finally {
    await door.close();
  }
}

class Lines {
  private readonly bytes: Buffer;
  private length = 0;

  constructor(bytesMax: number) {
    this.bytes = Buffer.allocUnsafe(bytesMax);
  }

  add(line: string): void {
    this.length += this.bytes.write(line, this.length, 'latin1');
    this.bytes[this.length] = LINE_END;
    this.length += 1;
  }

  finish(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}

/** Pieces of whole lines, none longer than `bytesMax`. */
export function cutLines(lines: Buffer, bytesMax: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let start = 0; start < lines.length;) {
    const reach = start + bytesMax;
    const end = reach >= lines.length ? lines.length : lines.lastIndexOf(LINE_END, reach - 1) + 1;
    pieces.push(lines.subarray(start, end));
    start = end;
  }
  return pieces;
}
