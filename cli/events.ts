// trueup events validate: would the pipeline count these events? The verdicts are those of the sink's own rule, one line
// each; ownership (whose key, which accounts) is only known to the HTTP door. Reads streams of any length in little memory.

import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { EVENT_MESSAGE, EVENT_NEXT_STEP } from '../domain/contracts/intake.ts';
import { EVENT_LIMITS } from '../domain/contracts/topics.ts';
import { checkEvent } from '../ingest/http/admit.ts';
import { splitBody, trimLine } from '../ingest/http/split.ts';
import { parseRfc3339 } from '../ingest/rfc3339.ts';
import { UsageError, type CommandContext, type Run } from './command.ts';
import { toJson } from './json.ts';

/** A JSON array is read as a whole before it can be cut. */
const ARRAY_BYTES_MAX = 256 * 1024 * 1024;

export const run: Run = async ([action, ...args], context) => {
  if (action !== 'validate') throw new UsageError('say validate');
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      arrival: { type: 'string' },
      quiet: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0) throw new UsageError('name one file, or - for standard input');
  const arrivalMs = values.arrival === undefined ? Date.now() : parseRfc3339(values.arrival);
  if (arrivalMs === undefined) throw new UsageError('--arrival is an RFC 3339 instant such as 2026-10-03T12:00:00Z');
  const input = file === '-' ? context.stdin : createReadStream(file);
  return validateAll(input, { arrivalMs, quiet: values.quiet, json: values.json, context });
};

type Job = {
  readonly arrivalMs: number;
  readonly quiet: boolean;
  /** One document a line, since the input may be endless. */
  readonly json: boolean;
  readonly context: CommandContext;
};

async function validateAll(input: Readable, { arrivalMs, quiet, json, context }: Job): Promise<number> {
  let [accepted, rejected] = [0, 0];
  for await (const { place, value } of readEvents(input)) {
    const verdict = checkEvent(value, arrivalMs);
    if (verdict.accepted) {
      accepted += 1;
      if (!quiet) context.print(json ? toJson({ place, accepted: true }) : `${place}: accepted`);
      continue;
    }
    rejected += 1;
    const field = verdict.field === '' ? '' : ` ${verdict.field}`;
    const { code } = verdict;
    const [message, next] = [EVENT_MESSAGE[code], EVENT_NEXT_STEP[code]];
    context.print(
      json
        ? toJson({ place, accepted: false, code, field: verdict.field, message, next })
        : `${place}: rejected ${code}${field}: ${message}; ${next}`,
    );
  }
  context.warn(`${accepted} accepted, ${rejected} rejected`);
  return rejected > 0 ? 1 : 0;
}

type Placed = { readonly place: string; readonly value: Buffer };

/** Events of an NDJSON stream by line, or of a JSON array by index: the first byte that is no white space decides. */
async function* readEvents(input: Readable): AsyncGenerator<Placed> {
  const lines = createLineCutter();
  const whole: Buffer[] = [];
  let [isArray, wholeBytes]: [boolean | undefined, number] = [undefined, 0];
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk as Buffer);
    isArray ??= firstVisible(bytes)?.startsWith('[');
    if (isArray !== true) {
      yield* lines.feed(bytes);
      continue;
    }
    wholeBytes += bytes.length;
    if (wholeBytes > ARRAY_BYTES_MAX)
      throw new Error(`the array exceeds ${ARRAY_BYTES_MAX} bytes: use one event a line`);
    whole.push(bytes);
  }
  yield* lines.end();
  if (isArray !== true) return;
  const split = splitBody(Buffer.concat(whole), 'batch');
  if (!split.ok) throw new Error(`${split.why}: an input that begins with "[" is read as one JSON array of events`);
  for (const [index, value] of split.pieces.entries()) yield { place: `event ${index}`, value };
}

function firstVisible(bytes: Buffer): string | undefined {
  return /[^ \t\r\n]/.exec(bytes.toString('latin1'))?.[0];
}

const LF = 10;
/** One byte too many is enough to be told so; the rest of such a line is dropped. */
const KEPT_BYTES_MAX = EVENT_LIMITS.lineBytesMax + 1;

function createLineCutter() {
  let [number, kept]: [number, Buffer[]] = [0, []];
  let room = KEPT_BYTES_MAX;
  const keep = (bytes: Buffer) => {
    const part = bytes.subarray(0, room);
    if (part.length > 0) kept.push(part);
    room -= part.length;
  };
  const take = (): Placed[] => {
    number += 1;
    const value = trimLine(Buffer.concat(kept));
    [kept, room] = [[], KEPT_BYTES_MAX];
    return value === undefined ? [] : [{ place: `line ${number}`, value }];
  };
  return {
    *feed(bytes: Buffer): Generator<Placed> {
      let from = 0;
      for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, from)) {
        keep(bytes.subarray(from, at));
        yield* take();
        from = at + 1;
      }
      keep(bytes.subarray(from));
    },
    end: (): Placed[] => (kept.length > 0 ? take() : []),
  };
}
