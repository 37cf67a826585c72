// What docs/ tells a sender is what the pipeline does.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { EVENT_NEXT_STEP, INTAKE_LIMITS, REQUEST_CODES } from '../../domain/contracts/intake.ts';
import { MANIFEST_MESSAGE } from '../../domain/contracts/manifest.ts';
import { EVENT_LIMITS, MANIFEST_TOPIC, USAGE_TOPIC } from '../../domain/contracts/topics.ts';
import { EVENT_TYPES, VOID_TYPE } from '../../domain/meter.ts';
import { validateManifest } from '../validate-manifest.ts';
import { checkEvent } from './admit.ts';
import { MEDIA_TYPES } from './media.ts';
import { policyOf } from './rate-limit.ts';

const read = (file: string) => readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
const page = read('integration.md');
const section = (name: string) => page.split(`<!-- ${name} -->`)[1]?.trimStart().split('\n\n')[0] ?? '';
const quoted = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
/** The rejects that the integrity job counts beside what was accepted, as its query names them. */
const sourceHours = readFileSync(new URL('../../aggregate/queries/source-hours.sql', import.meta.url), 'utf8');
const COUNTED_REJECTS = [
  ...(sourceHours.split('WHERE reason IN (')[1]?.split(')')[0] ?? '').matchAll(/'([A-Z_]+)'/g),
].map((match) => match[1] ?? '');
const mediaTypes = new Set(Object.values(MEDIA_TYPES).flatMap((types) => Object.keys(types)));
const grouped = (value: number) => value.toLocaleString('en-US');

describe('docs/integration.md', () => {
  test('lists the event types of the catalogue, and no others', () => {
    expect(quoted(section('catalogue')).sort()).toEqual([...Object.keys(EVENT_TYPES), VOID_TYPE].sort());
  });

  test('lists the reject reasons in their order', () => {
    const names = [...section('reasons').matchAll(/^\| `([A-Z_]+)` +\| (.+?) +\|$/gm)];
    expect(names.map((match) => match[1])).toEqual(Object.keys(EVENT_NEXT_STEP));
    expect(names.map((match) => match[2]?.replaceAll(/[`"]/g, ''))).toEqual(
      Object.values(EVENT_NEXT_STEP).map((next) => next.replaceAll('"', '')),
    );
  });

  test('names the limits that hold', () => {
    const values = [...section('limits').matchAll(/^\| [^|]+ \| ([\d,]*\d)/gm)].map((match) => match[1]);
    const { bodyBytesMax, eventsMax, eventsPerSecond, bytesInFlightMax } = INTAKE_LIMITS;
    const limits = [bodyBytesMax, eventsMax, EVENT_LIMITS.lineBytesMax, eventsPerSecond, bytesInFlightMax];
    expect(values).toEqual(limits.map(grouped));
    // A slow key's bucket still holds the largest request.
    expect(policyOf(1).burst).toBe(INTAKE_LIMITS.eventsMax);
    const burst = `${INTAKE_LIMITS.burstSeconds} seconds' worth at once, but at least ${grouped(policyOf(1).burst)}`;
    expect(section('limits')).toContain(burst);
    expect(section('limits')).toContain(`an event counts ${INTAKE_LIMITS.bytesInFlightPerEvent} more`);
  });

  test('names every status the door can answer', () => {
    const statuses = [...page.matchAll(/^\| (\d{3}(?:, \d{3})*)/gm)].flatMap((match) => match[1]?.split(', ') ?? []);
    const answered = Object.values(REQUEST_CODES).map(({ status }) => String(status));
    expect(new Set(statuses)).toEqual(new Set([...answered, '200', '207']));
    for (const type of mediaTypes) expect(page).toContain(`\`${type}\``);
  });

  test('shows an event and a manifest that the pipeline takes', () => {
    const [event = '', , manifest = ''] = [...page.matchAll(/```json\n([^`]+)```/g)].map((match) => match[1] ?? '');
    expect(checkEvent(Buffer.from(event), Date.parse('2026-10-03T12:35:00Z'))).toMatchObject({ accepted: true });
    expect(validateManifest(Buffer.from(manifest))).toMatchObject({ accepted: true });
  });

  test('names every code that is said of a manifest', () => {
    const text = page.split('## Manifests')[1]?.split('\n## ')[0] ?? '';
    const asAWhole = Object.keys(REQUEST_CODES).filter((code) => code.includes('MANIFEST'));
    for (const code of [...Object.keys(MANIFEST_MESSAGE), ...asAWhole]) expect(text).toContain(`\`${code}\``);
    expect(COUNTED_REJECTS).toHaveLength(8);
    for (const reason of COUNTED_REJECTS) expect(text).toContain(`\`${reason}\``);
  });
});

describe('docs/asyncapi.yaml', () => {
  type Message = { contentType: string; payload: { maxItems?: number } };
  type Document = {
    asyncapi: string;
    channels: Record<string, { address: string }>;
    components: { messages: Record<string, Message> };
  };
  const text = read('asyncapi.yaml');
  const document = parse(text) as Document;

  test('names the topics, the path, the media types and the limit of a batch', () => {
    expect(document.asyncapi).toBe('3.0.0');
    const addresses = Object.values(document.channels).map(({ address }) => address);
    expect(addresses).toEqual([USAGE_TOPIC, MANIFEST_TOPIC, '/v1/events', '/v1/manifests']);
    const messages = Object.values(document.components.messages);
    expect(new Set(messages.map(({ contentType }) => contentType))).toEqual(mediaTypes);
    for (const batch of ['usageEventBatch', 'usageManifestBatch']) {
      expect(document.components.messages[batch]?.payload.maxItems).toBe(INTAKE_LIMITS.eventsMax);
    }
  });

  test('every reference leads somewhere', () => {
    for (const [, target = ''] of text.matchAll(/\$ref: '?([^'\n]+)'?/g)) {
      if (['./event.schema.json', './manifest.schema.json'].includes(target)) continue;
      const found = target
        .slice(2)
        .split('/')
        .reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], document);
      expect(found, target).toBeDefined();
    }
  });
});
