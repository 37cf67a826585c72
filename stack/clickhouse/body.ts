/**
 * The request's body: decoded, gathered up to a limit, and known to be whole or cut.
 *
 * Promises: a body that ends before its declared end throws, so nobody takes a part for the whole; nothing is read ahead of
 * whoever consumes it.
 */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createDecoder } from './encodings.ts';
import { EngineError } from './errors.ts';

export interface Body {
  /** The first bytes; all of them when `rest` is undefined. */
  readonly head: Buffer;
  readonly rest: AsyncIterator<Buffer> | undefined;
}

/** Reads until the end or until more than `limitBytes` are there. */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Body> {
  const source = decoded(request)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const chunks: Buffer[] = [];
  let size = 0;
  while (size <= limitBytes) {
    const next = await nextChunk(source);
    if (next === undefined) return { head: joined(chunks, size), rest: undefined };
    chunks.push(next);
    size += next.length;
  }
  return { head: joined(chunks, size), rest: source };
}

/** The next piece, undefined at the true end. Throws EngineError 33 for a body that is cut or can't be decoded. */
export async function nextChunk(source: AsyncIterator<Buffer>): Promise<Buffer | undefined> {
  try {
    const step = await source.next();
    return step.done === true ? undefined : step.value;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError(33, 'CANNOT_READ_ALL_DATA', `The request's body ended early or can't be decoded: ${reason}`);
  }
}

function joined(chunks: Buffer[], size: number): Buffer {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size);
}

function decoded(request: IncomingMessage): Readable {
  const decoder = createDecoder(request.headers['content-encoding'] ?? '');
  if (decoder === undefined) return request;
  // pipe() alone would leave the reader waiting for ever when the client goes away.
  request.once('close', () => {
    if (!request.complete) decoder.destroy(new Error('the connection was closed'));
  });
  return request.pipe(decoder);
}
