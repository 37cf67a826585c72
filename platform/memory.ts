// Large pieces of memory, used again and again. V8 collects its whole heap whenever another 64 MiB of array buffers have been
// made, and the system fills each new one with zeros, page by page: where messages pass through, both cost more than reading
// them. A piece is given back by whoever took it, when nobody reads it any more; one that never comes back is collected as
// ever. What a taken piece holds is left over from others.

import { invariant } from '../domain/contracts/errors.ts';

const MIB = 1024 * 1024;
/** Smaller pieces are made and collected. */
const SMALL_BYTES = MIB / 4;
/** Given back and waiting; beyond it those that wait longest are collected. */
const WAITING_BYTES_MAX = 128 * MIB;
/** A piece is at most so many times as large as what was asked for. */
const EXCESS_MAX = 2;

const waiting: ArrayBuffer[] = [];
let waitingBytes = 0;

/** At least `bytes` bytes, to be cut into arrays one after the other. */
export class Memory {
  private readonly buffer: ArrayBuffer;
  private cut = 0;
  private isReturned = false;

  constructor(bytes: number) {
    this.buffer = bytes < SMALL_BYTES ? new ArrayBuffer(bytes) : (find(bytes) ?? new ArrayBuffer(roundUp(bytes)));
  }

  get isGivenBack(): boolean {
    return this.isReturned;
  }

  bytes(length: number): Buffer {
    return Buffer.from(this.buffer, this.take(length, 1), length);
  }

  uint8(length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.buffer, this.take(length, 1), length);
  }

  uint32(length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.buffer, this.take(length, Uint32Array.BYTES_PER_ELEMENT), length);
  }

  float64(length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.buffer, this.take(length, Float64Array.BYTES_PER_ELEMENT), length);
  }

  /** Once, after the last look at anything that was cut from it. */
  giveBack(): void {
    invariant(!this.isReturned, 'I1', 'memory was given back twice');
    this.isReturned = true;
    const { byteLength } = this.buffer;
    if (byteLength < SMALL_BYTES) return;
    waiting.push(this.buffer);
    waitingBytes += byteLength;
    while (waitingBytes > WAITING_BYTES_MAX) waitingBytes -= waiting.shift()?.byteLength ?? 0;
  }

  private take(length: number, size: number): number {
    invariant(!this.isReturned, 'I1', 'memory that was given back is to be used');
    const start = Math.ceil(this.cut / size) * size;
    this.cut = start + length * size;
    return start;
  }
}

/** The smallest of those that wait and are not too large. */
function find(bytes: number): ArrayBuffer | undefined {
  let best = -1;
  for (const [index, { byteLength }] of waiting.entries()) {
    const fits = byteLength >= bytes && byteLength <= bytes * EXCESS_MAX;
    if (fits && (best < 0 || byteLength < (waiting[best]?.byteLength ?? 0))) best = index;
  }
  const [found] = best < 0 ? [] : waiting.splice(best, 1);
  waitingBytes -= found?.byteLength ?? 0;
  return found;
}

/** To a quarter of the power of two below, so that pieces for nearly the same are interchangeable. */
function roundUp(bytes: number): number {
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 2);
  return Math.ceil(bytes / step) * step;
}
