// For integration tests: many large requests at once, of which the sender holds hardly a byte, so that what grows is the door.

import { Agent, request } from 'node:http';
import { readFileSync } from 'node:fs';

export type FloodAnswer = {
  readonly status: number;
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly retryAfter: string | undefined;
};

export type Batch = { readonly ids: readonly string[]; readonly bytes: number; readonly parts: readonly Buffer[] };

const PADDING = Buffer.alloc(64_000, 'x');
const GOOD = { specversion: '1.0', source: '/cell/1', type: 'query', subject: 'payments.acme' };

/** Events of more than 64,000 bytes each; all of them share one padding. */
export function createLargeBatch(ids: readonly string[], time: string): Batch {
  const parts = ids.flatMap((id) => {
    const [head = '', tail = ''] = `${JSON.stringify({ ...GOOD, id, time, padding: '|' })}\n`.split('|');
    return [Buffer.from(head), PADDING, Buffer.from(tail)];
  });
  return toBatch(ids, parts);
}

/** Events as small as they come. */
export function createSmallBatch(ids: readonly string[], time: string): Batch {
  return toBatch(ids, [Buffer.from(ids.map((id) => JSON.stringify({ ...GOOD, id, time })).join('\n'))]);
}

function toBatch(ids: readonly string[], parts: readonly Buffer[]): Batch {
  return { ids, parts, bytes: parts.reduce((sum, { length }) => sum + length, 0) };
}

const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });

export async function postBatch(url: string, key: string, { bytes, parts }: Batch): Promise<FloodAnswer> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/x-ndjson',
      'content-length': bytes,
    };
    const outgoing = request(`${url}/v1/events`, { method: 'POST', headers, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        const { code, message } = JSON.parse(text) as { code?: string; message?: string };
        resolve({ status: response.statusCode ?? 0, code, message, retryAfter: response.headers['retry-after'] });
      });
    });
    outgoing.on('error', reject);
    for (const part of parts) outgoing.write(part);
    outgoing.end();
  });
}

/** Bytes of memory a process holds now, and the most it has held so far. Linux only. */
export function readMemory(pid = Number.NaN): { readonly rssBytes: number; readonly peakBytes: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytesOf = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  return { rssBytes: bytesOf('VmRSS'), peakBytes: bytesOf('VmHWM') };
}
