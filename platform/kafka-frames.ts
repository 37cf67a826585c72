// A third repair of kafkajs 2.2.4, applied before the first connection: how a response is put together from what the
// socket delivers. kafkajs keeps every piece until the last one is there and then copies them all; for a fetch of many
// megabytes that is twice the memory, and every byte has left the processor's cache by then. Here the place of a response
// is made once its length is known, and each piece is copied into it as it comes; so every socket reads into one place,
// again and again, and no read leaves garbage behind. A large response lies in memory that is used again (memory.ts), once
// whoever reads records out of it has let go of all of them.
// Logging in (SASL) and pieces of four bytes or less stay kafkajs' business.

import { createRequire } from 'node:module';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';
import { Memory } from './memory.ts';

/** Of one socket: what a broken connection left unfinished must not be filled by the next one. */
type Frame = { readonly socket: unknown; readonly bytes: Buffer; filled: number };
type Connection = {
  socket: unknown;
  authHandlers: unknown;
  chunks: Buffer[];
  bytesBuffered: number;
  requestQueue: { fulfillRequest(response: { size: number; correlationId: number; payload: Buffer }): void };
  processData: (this: Connection, piece: Buffer) => void;
  frame?: Frame | undefined;
};

const LENGTH_BYTES = 4;
const LARGE_BYTES = 1024 * 1024;
const READ_BYTES = 256 * 1024;
const KEEP_ALIVE_DELAY_MS = 60_000;

export function fillFrames(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/connection.js') as {
    prototype: Connection & { fillsFrames?: boolean };
  };
  if (prototype.fillsFrames === true) return;
  prototype.fillsFrames = true;
  const original = prototype.processData;
  prototype.processData = function takePiece(this: Connection, piece: Buffer) {
    let at = 0;
    if (this.frame !== undefined && this.frame.socket !== this.socket) this.frame = undefined;
    while (at < piece.length) {
      if (this.frame === undefined) {
        const isOthers = this.authHandlers !== null || this.bytesBuffered > 0 || piece.length - at <= LENGTH_BYTES;
        if (isOthers) {
          // A copy: kafkajs keeps it, and the place it lies in is read into again.
          original.call(this, Buffer.from(piece.subarray(at)));
          return;
        }
        this.frame = { socket: this.socket, bytes: makePlace(piece.readInt32BE(at)), filled: 0 };
        at += LENGTH_BYTES;
      }
      const { frame } = this;
      const copied = piece.copy(frame.bytes, frame.filled, at);
      frame.filled += copied;
      at += copied;
      if (frame.filled < frame.bytes.length) return;
      this.frame = undefined;
      const payload = frame.bytes.subarray(LENGTH_BYTES);
      const correlationId = frame.bytes.readInt32BE(0);
      this.requestQueue.fulfillRequest({ size: frame.bytes.length, correlationId, payload });
    }
  };
}

/** Of a large response: its memory, and how many batches of the log are still to be read out of it. */
type Place = { readonly memory: Memory; readers: number };
const places = new WeakMap<ArrayBufferLike, Place>();

function makePlace(length: number): Buffer {
  if (length < LARGE_BYTES) return Buffer.allocUnsafe(length);
  const memory = new Memory(length);
  const bytes = memory.bytes(length);
  places.set(bytes.buffer, { memory, readers: 0 });
  return bytes;
}

/** Somebody will read these bytes, which may lie in a response. All readers of a response hold before one of them lets go. */
export function holdResponse({ buffer }: Buffer): void {
  const place = places.get(buffer);
  if (place !== undefined) place.readers += 1;
}

/** Of bytes that were held. When nobody holds any of its bytes, the response's memory is taken for another one. */
export function letGoOfResponse({ buffer }: Buffer): void {
  const place = places.get(buffer);
  if (place === undefined) return;
  place.readers -= 1;
  if (place.readers > 0) return;
  places.delete(buffer);
  place.memory.giveBack();
}

/** In kafkajs' place. A socket under TLS hands out what it decrypted and reads as kafkajs' own. */
export const openSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  // Without TLS kafkajs passes null, whatever its types say.
  const isPlain = !ssl;
  const socket = isPlain ? openPlainSocket(host, port) : connectTls({ host, port, ...ssl });
  socket.once(isPlain ? 'connect' : 'secureConnect', onConnect);
  return socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
};

function openPlainSocket(host: string, port: number): Socket {
  const onRead = (bytes: number, place: Uint8Array) => {
    socket.emit('data', Buffer.from(place.buffer, place.byteOffset, bytes));
    return true;
  };
  const socket: Socket = connect({ host, port, onread: { buffer: Buffer.allocUnsafe(READ_BYTES), callback: onRead } });
  return socket;
}
