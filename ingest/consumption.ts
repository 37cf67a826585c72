// How far a sink group is behind its topic: what /readyz asks, whoever of the group's members stands still.

import type { Kafka } from '../platform/kafka.ts';
import type { Progress } from '../platform/standstill.ts';
import { sinkGroupOf } from './sink.ts';

/** In records over all partitions. Throws what Kafka answers: a lag that can't be read is not zero. */
export async function fetchConsumption(
  kafka: Pick<Kafka, 'fetchEndOffsets' | 'fetchGroupPositions'>,
  topic: string,
): Promise<Progress> {
  const positions = await kafka.fetchGroupPositions(sinkGroupOf(topic), topic);
  const ends = await kafka.fetchEndOffsets(topic);
  const position = positions.reduce((sum, one) => sum + one, 0n);
  const end = ends.reduce((sum, one) => sum + one, 0n);
  return { behind: end > position ? end - position : 0n, position };
}
