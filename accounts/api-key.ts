// The text of an API key: tu_<env>_<43 characters>_<6 characters>. The middle is 256 random bits, the end is the CRC-32 of
// all before it: a mistyped or cut key is told apart from a wrong one without a question to the database, and a secret
// scanner can be sure of what it found. Only the SHA-256 of the whole key is stored. No slow hash and no pepper: nobody
// guesses 256 bits, and a pepper that gets lost would lose every key.

import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** `test` keys belong to a simulated clock, `live` keys to the wall's: neither opens the other's door. */
export type KeyEnv = 'test' | 'live';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_BYTES = 32;
const SECRET_LENGTH = 43;
const CHECK_LENGTH = 6;
const SHAPE = new RegExp(`^tu_(test|live)_[0-9A-Za-z]{${SECRET_LENGTH}}_[0-9A-Za-z]{${CHECK_LENGTH}}$`);
/** `tu_live_` and four characters of the secret: enough to recognise, nothing to guess from. */
const START_LENGTH = 12;

export function createKeyText(env: KeyEnv, secret: Buffer = randomBytes(SECRET_BYTES)): string {
  const body = `tu_${env}_${toBase62(BigInt(`0x${secret.toString('hex')}`), SECRET_LENGTH)}`;
  return `${body}_${checkOf(body)}`;
}

export function createKeyId(): string {
  return `key-${toBase62(BigInt(`0x${randomBytes(8).toString('hex')}`), 11)}`;
}

/** The env a well-formed key belongs to; undefined for anything that was never a key of ours. */
export function parseKeyText(text: string): KeyEnv | undefined {
  if (!SHAPE.test(text)) return undefined;
  const body = text.slice(0, -CHECK_LENGTH - 1);
  if (text.slice(-CHECK_LENGTH) !== checkOf(body)) return undefined;
  return text.startsWith('tu_live_') ? 'live' : 'test';
}

export function hashKeyText(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

export function startOf(text: string): string {
  return text.slice(0, START_LENGTH);
}

function checkOf(body: string): string {
  return toBase62(BigInt(crc32(body)), CHECK_LENGTH);
}

function toBase62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; rest > 0n; rest /= 62n) text = (ALPHABET[Number(rest % 62n)] ?? '') + text;
  return text.padStart(length, '0');
}
