// What a request says about its body. Pure.

import type { IncomingHttpHeaders } from 'node:http';
import { refuse, type Answer } from './answer.ts';
import type { Noun } from './outcome.ts';
import type { BodyFormat } from './split.ts';

/** Media type → how its pieces are cut. For events, `application/json` is one event in CloudEvents' structured mode. */
export const MEDIA_TYPES: Readonly<Record<Noun, Readonly<Record<string, BodyFormat>>>> = {
  event: {
    'application/cloudevents+json': 'single',
    'application/json': 'single',
    'application/cloudevents-batch+json': 'batch',
    'application/x-ndjson': 'ndjson',
  },
  manifest: { 'application/json': 'single-or-batch', 'application/x-ndjson': 'ndjson' },
};

export type Media = { readonly type: string; readonly format: BodyFormat; readonly gzip: boolean };

export function parseMedia(headers: IncomingHttpHeaders, noun: Noun): Media | Answer {
  const types = MEDIA_TYPES[noun];
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  const format = Object.hasOwn(types, type) ? types[type] : undefined;
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (format === undefined || (charset !== undefined && !/^charset="?utf-8"?$/.test(charset))) {
    const said = headers['content-type'] === undefined ? 'no Content-Type' : 'this Content-Type';
    return refuse('CONTENT_TYPE_UNSUPPORTED', `${noun}s with ${said} can't be read`, {
      field: 'Content-Type',
      headers: { 'Accept-Post': Object.keys(types).join(', ') },
    });
  }
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip') {
    return refuse('CONTENT_ENCODING_UNSUPPORTED', "this Content-Encoding can't be read", {
      field: 'Content-Encoding',
      headers: { 'Accept-Encoding': 'gzip' },
    });
  }
  return { type, format, gzip: encoding === 'gzip' };
}
