// Which requests a broker takes, in which versions. kafkajs asks this for itself and shows it to nobody, so it is asked here
// once more: ApiVersions v0, which every broker answers before anything else.

import { connect } from 'node:net';
import { TrueupError } from '../domain/contracts/errors.ts';

/** By the request's number in Kafka's protocol guide. */
export type ApiVersions = ReadonlyMap<number, { readonly min: number; readonly max: number }>;

/** Length 10, ApiVersions (18), version 0, correlation 1, no client id. */
const REQUEST = Buffer.from('0000000a0012000000000001ffff', 'hex');
const WITHIN_MS = 5_000;
const SIZE_BYTES = 4;

/** Asks `brokers` (host:port[,host:port…]) in their order until one answers. Throws `unavailable` when none does. */
export async function fetchApiVersions(brokers: string): Promise<ApiVersions> {
  let failure: unknown;
  for (const broker of brokers.split(',')) {
    try {
      return await askBroker(broker);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function askBroker(broker: string): Promise<ApiVersions> {
  const [host = '', port = ''] = broker.split(':');
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const socket = connect({ host, port: Number(port), timeout: WITHIN_MS }, () => socket.write(REQUEST));
    const fail = (why: string) => socket.destroy(away(broker, why));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < SIZE_BYTES || received.length < SIZE_BYTES + received.readInt32BE(0)) return;
      resolve(parseApiVersions(received.subarray(SIZE_BYTES)));
      socket.destroy();
    });
    socket.on('timeout', () => fail(`no answer within ${WITHIN_MS} ms`));
    socket.on('end', () => fail('it hung up'));
    socket.on('error', (error) => reject(error instanceof TrueupError ? error : away(broker, error.message)));
  });
}

/** The answer behind its size: correlation, error code, then (number, min, max) each. Empty when it is an error. */
export function parseApiVersions(answer: Buffer): ApiVersions {
  const versions = new Map<number, { min: number; max: number }>();
  if (answer.readInt16BE(4) !== 0) return versions;
  const count = answer.readInt32BE(6);
  for (let index = 0; index < count; index += 1) {
    const at = 10 + index * 6;
    versions.set(answer.readInt16BE(at), { min: answer.readInt16BE(at + 2), max: answer.readInt16BE(at + 4) });
  }
  return versions;
}

function away(broker: string, why: string): TrueupError {
  return new TrueupError({
    kind: 'unavailable',
    code: 'KAFKA_UNAVAILABLE',
    message: `${broker} did not answer: ${why}`,
  });
}
