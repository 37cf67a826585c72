// The conformance cases as bytes. They stand in fixtures/ as data, because producers in other languages read them too.

import { readFileSync } from 'node:fs';
import type { EventCode } from '../../../domain/contracts/intake.ts';
import type { ManifestCode } from '../../../domain/contracts/manifest.ts';

export type ConformanceCase<Code = EventCode> = {
  readonly name: string;
  readonly bytes: Buffer;
  /** A Kafka key other than the identity; only a Kafka producer can send it. */
  readonly key: string | undefined;
  readonly expect: 'accepted' | Code;
  readonly field: string | undefined;
  /** What the JSON Schema says; undefined if the bytes are no JSON. */
  readonly schema: 'valid' | 'invalid' | undefined;
  readonly lines: boolean;
};

type Written<Code> = {
  name: string;
  event?: Record<string, unknown>;
  manifest?: Record<string, unknown>;
  text?: string;
  base64?: string;
  padTo?: number;
  key?: string;
  expect: 'accepted' | Code;
  field?: string;
  schema?: 'valid' | 'invalid';
  lines?: boolean;
};

type File<Code> = { about: string; arrival: string; cases: Written<Code>[] };

const read = <Code>(name: string): File<Code> =>
  JSON.parse(
    readFileSync(new URL(`../../../fixtures/conformance/${name}.json`, import.meta.url), 'utf8'),
  ) as File<Code>;

export function readConformance(): { arrival: string; cases: ConformanceCase[] } {
  const { arrival, cases } = read<EventCode>('events');
  return { arrival, cases: cases.map(toCase) };
}

export function readManifestConformance(): ConformanceCase<ManifestCode>[] {
  return read<ManifestCode>('manifests').cases.map(toCase);
}

function toCase<Code>(written: Written<Code>): ConformanceCase<Code> {
  const { name, expect } = written;
  const bytes = bytesOf(written);
  const schema = written.schema ?? (expect === 'accepted' ? 'valid' : 'invalid');
  const common = { name, expect, bytes, key: written.key, field: written.field, lines: written.lines ?? true };
  return { ...common, schema: isJson(bytes) ? schema : undefined };
}

function bytesOf({ event, manifest, text, base64, padTo }: Written<unknown>): Buffer {
  if (text !== undefined) return Buffer.from(text);
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  const object = event ?? manifest;
  const bytes = Buffer.from(JSON.stringify(object));
  if (padTo === undefined) return bytes;
  const without = Buffer.byteLength(JSON.stringify({ ...object, padding: '' }));
  return Buffer.from(JSON.stringify({ ...object, padding: 'x'.repeat(padTo - without) }));
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
