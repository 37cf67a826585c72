// The conformance cases as bytes. They stand in fixtures/ as data, because producers in other languages read them too.

import { readFileSync } from 'node:fs';
import type { EventCode } from '../../../domain/contracts/intake.ts';

export type ConformanceCase = {
  readonly name: string;
  readonly bytes: Buffer;
  /** A Kafka key other than the identity; only a Kafka producer can send it. */
  readonly key: string | undefined;
  readonly expect: 'accepted' | EventCode;
  readonly field: string | undefined;
  /** What the JSON Schema says; undefined if the bytes are no JSON. */
  readonly schema: 'valid' | 'invalid' | undefined;
  readonly lines: boolean;
};

type Written = {
  name: string;
  event?: Record<string, unknown>;
  text?: string;
  base64?: string;
  padTo?: number;
  key?: string;
  expect: 'accepted' | EventCode;
  field?: string;
  schema?: 'valid' | 'invalid';
  lines?: boolean;
};

export const CONFORMANCE_FILE = new URL('../../../fixtures/conformance/events.json', import.meta.url).pathname;

export function readConformance(): { arrival: string; cases: ConformanceCase[] } {
  const { arrival, cases } = JSON.parse(readFileSync(CONFORMANCE_FILE, 'utf8')) as {
    arrival: string;
    cases: Written[];
  };
  return { arrival, cases: cases.map(toCase) };
}

function toCase(written: Written): ConformanceCase {
  const { name, expect } = written;
  const bytes = bytesOf(written);
  const schema = written.schema ?? (expect === 'accepted' ? 'valid' : 'invalid');
  const common = { name, expect, bytes, key: written.key, field: written.field, lines: written.lines ?? true };
  return { ...common, schema: isJson(bytes) ? schema : undefined };
}

function bytesOf({ event, text, base64, padTo }: Written): Buffer {
  if (text !== undefined) return Buffer.from(text);
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  const bytes = Buffer.from(JSON.stringify(event));
  if (padTo === undefined) return bytes;
  const without = Buffer.byteLength(JSON.stringify({ ...event, padding: '' }));
  return Buffer.from(JSON.stringify({ ...event, padding: 'x'.repeat(padTo - without) }));
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
