// Reads a request body, unpacked, within the size limit and the process's memory budget. Whatever goes wrong, the rest of
// the body is read and dropped, never the connection: a client that is still sending can then read the answer.

import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';
import type { Readable } from 'node:stream';
import type { RequestCode } from '../../domain/contracts/intake.ts';
import type { Reservation } from './budget.ts';

export type BodyFault = { readonly ok: false; readonly code: RequestCode; readonly message: string };
export const OVERLOADED: BodyFault = {
  ok: false,
  code: 'OVERLOADED',
  message: 'too many requests wait for the broker',
};
export type Body = { readonly ok: true; readonly bytes: Buffer } | BodyFault;

export type BodyOptions = {
  readonly gzip: boolean;
  readonly bytesMax: number;
  readonly reservation: Reservation;
};

/** Throws only when the client went away in the middle. */
export async function readBody(request: IncomingMessage, options: BodyOptions): Promise<Body> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > options.bytesMax) return drop(request, tooLarge(options.bytesMax));
  if (!options.gzip) return collect(request, request, options);

  const gunzip = createGunzip();
  // `pipe` does not pass on that the client went away; the reader would wait for ever.
  request.once('close', () => {
    if (!request.complete) gunzip.destroy(new Error('the client went away'));
  });
  request.pipe(gunzip);
  try {
    return await collect(request, gunzip, options);
  } catch (error) {
    if (request.destroyed && !request.complete) throw error;
    return drop(request, { ok: false, code: 'BODY_INVALID', message: 'the body is not a complete gzip stream' });
  } finally {
    request.unpipe(gunzip);
    gunzip.destroy();
    request.resume();
  }
}

async function collect(request: IncomingMessage, source: Readable, options: BodyOptions): Promise<Body> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length > options.bytesMax) return drop(request, tooLarge(options.bytesMax));
    if (!options.reservation.grow(bytes.length)) return drop(request, OVERLOADED);
    chunks.push(bytes);
  }
  return { ok: true, bytes: Buffer.concat(chunks, length) };
}

function drop(request: IncomingMessage, fault: BodyFault): BodyFault {
  request.resume();
  return fault;
}

function tooLarge(bytesMax: number): BodyFault {
  return { ok: false, code: 'BODY_TOO_LARGE', message: `the body has more than ${bytesMax} bytes` };
}
