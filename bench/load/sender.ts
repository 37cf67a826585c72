// The process that sends events at a rate: `sender.ts <broker> <topic> <partitions> <namespaces> <rate> <seconds>`.
// Ten times a second a tick goes out, with one probe in it, whether or not earlier ones were acknowledged; only when all
// of its batches are on their way does it wait, so what it holds is bounded. It prints `sending <epoch ms>`, then for every
// acknowledged tick `acked <number> <epoch ms>`, and last `sent <messages> <ms it took> <CPU seconds>`.
// An id lies in the partition it is first sent to and not in that of its key's hash; nothing a sink does looks at that.

import { setTimeout as delay } from 'node:timers/promises';
import { generateEvents, type Message } from '../events.ts';
import { openProduceConnection, type PartitionBatch } from './produce.ts';
import { StampedBatch } from './stamped-batch.ts';

export const TICK_MS = 100;
/** Templates hold about so many messages, of about 240 bytes. */
const POOL_MESSAGES = 200_000;
const TICKS_MIN = 10;
/** The broker takes a batch of 1 MiB at most. */
const BATCH_MESSAGES_MAX = 3_500;
/** Of the templates; any instant would do. */
const START_MS = Date.UTC(2026, 9, 3, 9, 30);
const DELAY_MAX_MS = 30_000;

type Tick = { readonly batches: readonly { readonly partition: number; readonly batch: StampedBatch }[] };

const [broker = '', topic = '', ...numbers] = process.argv.slice(2);
const [partitions = 1, namespaces = 1, rate = 1, seconds = 1] = numbers.map(Number);
const ticks = composeTicks();
const spanMs = ticks.length * TICK_MS;
const connection = await openProduceConnection(broker);
const own = process.cpuUsage();
await send();
connection.close();

function composeTicks(): Tick[] {
  const perTick = Math.max(1, Math.round((rate * TICK_MS) / 1000));
  const count = Math.max(TICKS_MIN, Math.round(POOL_MESSAGES / perTick));
  const shape = { messages: perTick * count, namespaces, minutes: (count * TICK_MS) / 60_000, startMs: START_MS };
  const groups: Message[][][] = Array.from({ length: count }, () => Array.from({ length: partitions }, () => []));
  let number = 0;
  for (const message of generateEvents({ ...shape, leadMs: DELAY_MAX_MS })) {
    // Copies of an id must meet in one partition.
    const partition = Number.parseInt(message.key.slice(-8, -4), 16) % partitions;
    groups[Math.floor(number / perTick)]?.[partition]?.push(message);
    number += 1;
  }
  return groups.map((byPartition, tick) => ({
    batches: byPartition.flatMap((messages, partition) =>
      cut(messages).flatMap((piece, index) => {
        const withProbe = index === 0 && partition === tick % partitions;
        if (piece.length === 0 && !withProbe) return [];
        return [{ partition, batch: new StampedBatch(piece, START_MS, withProbe) }];
      }),
    ),
  }));
}

/** At least one piece, so that a probe always has one to travel in. */
function cut(messages: readonly Message[]): Message[][] {
  const pieces: Message[][] = [];
  for (let start = 0; start === 0 || start < messages.length; start += BATCH_MESSAGES_MAX) {
    pieces.push(messages.slice(start, start + BATCH_MESSAGES_MAX));
  }
  return pieces;
}

async function send(): Promise<void> {
  const startMs = Date.now();
  const underWay: Promise<void>[] = [];
  let messages = 0;
  console.log(`sending ${startMs}`);
  for (let number = 0; number * TICK_MS < seconds * 1000; number += 1) {
    const dueMs = startMs + (number + 1) * TICK_MS;
    await delay(Math.max(0, dueMs - Date.now()));
    const slot = number % ticks.length;
    await underWay[slot];
    const cycle = Math.floor(number / ticks.length);
    const cycleMs = startMs + cycle * spanMs;
    const { batches } = ticks[slot] ?? { batches: [] };
    for (const { batch } of batches) {
      batch.stamp({ send: cycle, startMs: cycleMs, arrivedMs: cycleMs + slot * TICK_MS, probe: number });
      messages += batch.count;
    }
    underWay[slot] = produce(batches.map(({ partition, batch }) => ({ partition, batch: batch.bytes }))).then(() =>
      console.log(`acked ${number} ${Date.now()}`),
    );
  }
  await Promise.all(underWay);
  const { user, system } = process.cpuUsage(own);
  console.log(`sent ${messages} ${Date.now() - startMs} ${(user + system) / 1e6}`);
}

/** A request takes one batch of a partition; the second ones go with another request. */
async function produce(batches: readonly PartitionBatch[]): Promise<void> {
  const rounds: PartitionBatch[][] = [];
  for (const one of batches) {
    const round = rounds.find((others) => others.every(({ partition }) => partition !== one.partition));
    if (round === undefined) rounds.push([one]);
    else round.push(one);
  }
  await Promise.all(rounds.map(async (round) => connection.produce(topic, round)));
}
