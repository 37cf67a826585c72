// What docs/ tells a sender is what the pipeline does.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { EVENT_NEXT_STEP, INTAKE_LIMITS, REQUEST_CODES } from '../../domain/contracts/intake.ts';
import { EVENT_LIMITS, MANIFEST_TOPIC, USAGE_TOPIC } from '../../domain/contracts/topics.ts';
import { EVENT_TYPES, VOID_TYPE } from '../../domain/meter.ts';
import { parseManifest } from '../manifests.ts';
import { checkEvent } from './admit.ts';
import { MEDIA_TYPES } from './media.ts';

const read = (file: string) => readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
const page = read('integration.md');
const section = (name: string) => page.split(`<!-- ${name} -->`)[1]?.trimStart().split('\n\n')[0] ?? '';
const quoted = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
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
    const { bodyBytesMax, eventsMax, eventsPerSecond } = INTAKE_LIMITS;
    expect(values).toEqual([bodyBytesMax, eventsMax, EVENT_LIMITS.lineBytesMax, eventsPerSecond].map(grouped));
    expect(section('limits')).toContain(`${INTAKE_LIMITS.burstSeconds} seconds' worth`);
  });

  test('names every status the door can answer', () => {
    const statuses = [...page.matchAll(/^\| (\d{3}(?:, \d{3})*)/gm)].flatMap((match) => match[1]?.split(', ') ?? []);
    const answered = Object.values(REQUEST_CODES).map(({ status }) => String(status));
    expect(new Set(statuses)).toEqual(new Set([...answered, '200', '207']));
    for (const type of Object.keys(MEDIA_TYPES)) expect(page).toContain(`\`${type}\``);
  });

  test('shows an event and a manifest that the pipeline takes', () => {
    const [event = '', , manifest = ''] = [...page.matchAll(/```json\n([^`]+)```/g)].map((match) => match[1] ?? '');
    expect(checkEvent(Buffer.from(event), Date.parse('2026-10-03T12:35:00Z'))).toMatchObject({ accepted: true });
    expect(parseManifest(Buffer.from(manifest))).toHaveProperty('manifest');
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
    expect(addresses).toEqual([USAGE_TOPIC, MANIFEST_TOPIC, '/v1/events']);
    const messages = Object.values(document.components.messages);
    expect(new Set(messages.map(({ contentType }) => contentType))).toEqual(new Set(Object.keys(MEDIA_TYPES)));
    expect(document.components.messages['usageEventBatch']?.payload.maxItems).toBe(INTAKE_LIMITS.eventsMax);
  });

  test('every reference leads somewhere', () => {
    for (const [, target = ''] of text.matchAll(/\$ref: '?([^'\n]+)'?/g)) {
      if (target === './event.schema.json') continue;
      const found = target
        .slice(2)
        .split('/')
        .reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], document);
      expect(found, target).toBeDefined();
    }
  });
});
