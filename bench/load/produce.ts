// The one request a sender needs, as Kafka's protocol has it (Produce, version 7): batches as they are, several requests
// in flight on one connection, answered in their order.

import { connect } from 'node:net';
import { once } from 'node:events';

const PRODUCE = 0;
const VERSION = 7;
const ACKS_ALL = -1;
const TIMEOUT_MS = 30_000;
const CLIENT = 'bench-sender';

export type PartitionBatch = { readonly partition: number; readonly batch: Buffer };

export type ProduceConnection = {
  /** Resolves when the leader of all partitions has the batches; throws what it refused. The bytes are its until then. */
  produce(topic: string, batches: readonly PartitionBatch[]): Promise<void>;
  close(): void;
};

export async function openProduceConnection(broker: string): Promise<ProduceConnection> {
  const [host = '', port = ''] = broker.split(':');
  const socket = connect({ host, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  const waiting: { resolve(): void; reject(error: Error): void }[] = [];
  const fail = (error: Error) => {
    for (const one of waiting.splice(0)) one.reject(error);
  };
  let received = Buffer.alloc(0);
  socket.on('data', (piece: Buffer) => {
    received = Buffer.concat([received, piece]);
    while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
      const end = 4 + received.readInt32BE(0);
      const refusal = findRefusal(received.subarray(8, end));
      received = received.subarray(end);
      const one = waiting.shift();
      if (refusal === undefined) one?.resolve();
      else one?.reject(new Error(refusal));
    }
  });
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the broker closed the connection')));
  let requests = 0;
  return {
    produce: async (topic, batches) => {
      requests += 1;
      const pieces = encodeRequest(requests, topic, batches);
      const answered = new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
      socket.cork();
      for (const piece of pieces) socket.write(piece);
      socket.uncork();
      return answered;
    },
    close: () => socket.destroy(),
  };
}

function encodeRequest(correlation: number, topic: string, batches: readonly PartitionBatch[]): Buffer[] {
  const head = Buffer.concat([
    int16(PRODUCE),
    int16(VERSION),
    int32(correlation),
    text(CLIENT),
    // No transaction.
    int16(-1),
    int16(ACKS_ALL),
    int32(TIMEOUT_MS),
    int32(1),
    text(topic),
    int32(batches.length),
  ]);
  const pieces = [head, ...batches.flatMap(({ partition, batch }) => [int32(partition), int32(batch.length), batch])];
  return [int32(pieces.reduce((sum, { length }) => sum + length, 0)), ...pieces];
}

/** What an answer of one topic says of the first partition that did not take its batch. */
function findRefusal(answer: Buffer): string | undefined {
  const topicEnd = 6 + answer.readInt16BE(4);
  const partitions = answer.readInt32BE(topicEnd);
  for (let number = 0, at = topicEnd + 4; number < partitions; number += 1, at += 30) {
    const code = answer.readInt16BE(at + 4);
    if (code !== 0) return `partition ${answer.readInt32BE(at)} refused a batch with error code ${code}`;
  }
  return undefined;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([int16(value.length), Buffer.from(value, 'latin1')]);
}
