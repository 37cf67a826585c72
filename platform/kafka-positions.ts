// Where a log begins and ends, where a group stands in it, and how it is sent back.

import type { Admin } from 'kafkajs';
import { invariant } from '../domain/contracts/errors.ts';

export type GroupTopic = { readonly groupId: string; readonly topic: string };

/** A record timestamp (epoch ms), or an offset per partition. */
export type RewindStart = number | readonly bigint[];

export async function fetchBounds(admin: Admin, topic: string): Promise<{ start: bigint; end: bigint }[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets
    .toSorted((a, b) => a.partition - b.partition)
    .map(({ partition, low, high }, index) => {
      invariant(partition === index, 'I6', `${topic} did not answer for partition ${index}`);
      return { start: BigInt(low), end: BigInt(high) };
    });
}

export async function fetchPositions(admin: Admin, { groupId, topic }: GroupTopic): Promise<Map<number, bigint>> {
  const [committed, bounds] = await Promise.all([
    admin.fetchOffsets({ groupId, topics: [topic] }),
    fetchBounds(admin, topic),
  ]);
  const positions = new Map(bounds.map(({ start }, partition) => [partition, start]));
  for (const { partition, offset } of committed.flatMap(({ partitions }) => partitions)) {
    if (BigInt(offset) >= 0n) positions.set(partition, BigInt(offset));
  }
  return positions;
}

export async function rewindGroupSince(admin: Admin, of: GroupTopic, since: RewindStart): Promise<bigint[]> {
  const found =
    typeof since === 'number'
      ? await admin.fetchTopicOffsetsByTimestamp(of.topic, since)
      : since.map((offset, partition) => ({ partition, offset: String(offset) }));
  const positions = await fetchPositions(admin, of);
  const partitions = found.map(({ partition, offset }) => {
    const position = positions.get(partition) ?? 0n;
    return { partition, offset: BigInt(offset) < position ? offset : String(position) };
  });
  await admin.setOffsets({ ...of, partitions });
  return listPositions(new Map(partitions.map(({ partition, offset }) => [partition, BigInt(offset)])), of.topic);
}

export function listPositions(byPartition: ReadonlyMap<number, bigint>, topic: string): bigint[] {
  return Array.from({ length: byPartition.size }, (_, partition) => {
    const offset = byPartition.get(partition);
    invariant(offset !== undefined, 'I6', `${topic} did not answer for partition ${partition}`);
    return offset;
  });
}
