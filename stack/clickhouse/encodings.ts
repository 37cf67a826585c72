/** Content encodings, both ways. Pure but for the work zlib does on its threads. */
import { promisify } from 'node:util';
import {
  brotliCompress,
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createGunzip,
  createGzip,
  createInflate,
  createZstdCompress,
  createZstdDecompress,
  gzip,
  zstdCompress,
} from 'node:zlib';
import type { BrotliCompress, Gzip, Unzip, ZstdCompress, ZstdDecompress } from 'node:zlib';
import { EngineError } from './errors.ts';

export type Encoding = 'gzip' | 'zstd' | 'br';
export type Encoder = Gzip | BrotliCompress | ZstdCompress;

// Loopback is fast: the cheapest level that still makes text small.
const GZIP = { level: 1 };
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } };

/** The encoding a client accepts, in our order of preference. */
export function acceptedEncoding(header: string | undefined): Encoding | undefined {
  const accepted = new Set((header ?? '').split(',').map((item) => item.split(';')[0]?.trim().toLowerCase()));
  return (['gzip', 'zstd', 'br'] as const).find((encoding) => accepted.has(encoding));
}

export function createEncoder(encoding: Encoding): Encoder {
  switch (encoding) {
    case 'gzip':
      return createGzip(GZIP);
    case 'zstd':
      return createZstdCompress();
    default:
      return createBrotliCompress(BROTLI);
  }
}

export async function encode(encoding: Encoding, bytes: Uint8Array): Promise<Buffer> {
  switch (encoding) {
    case 'gzip':
      return promisify(gzip)(bytes, GZIP);
    case 'zstd':
      return promisify(zstdCompress)(bytes);
    default:
      return promisify(brotliCompress)(bytes, BROTLI);
  }
}

/** A decoder for a Content-Encoding, undefined for plain bytes. Throws EngineError 48 for one that isn't known. */
export function createDecoder(encoding: string): Unzip | ZstdDecompress | undefined {
  switch (encoding.toLowerCase()) {
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress();
    default:
      throw new EngineError(
        48,
        'NOT_IMPLEMENTED',
        `Unknown Content-Encoding ${encoding}: send gzip, deflate, br or zstd`,
      );
  }
}
