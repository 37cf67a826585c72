// Cuts a body into the bytes of its events or manifests, exactly as they were sent: nothing is parsed and written again, so that what the
// log keeps is what the source emitted. Pure.

import { isUtf8 } from 'node:buffer';

export type BodyFormat = 'single' | 'batch' | 'single-or-batch' | 'ndjson';

/** The byte slices of the pieces, in order; or why the body as a whole can't be cut. */
export type Split =
  { readonly ok: true; readonly pieces: readonly Buffer[] } | { readonly ok: false; readonly why: string };

/** Stops one piece after `piecesMax`: a mebibyte can hold half a million, and who sent too many wants to hear just that. */
export function splitBody(body: Buffer, format: BodyFormat, piecesMax = Number.POSITIVE_INFINITY): Split {
  if (format === 'batch' || (format === 'single-or-batch' && trimSpace(body)[0] === OPENING_BRACKET)) {
    return splitArray(body, piecesMax);
  }
  return { ok: true, pieces: format === 'ndjson' ? splitLines(body, piecesMax) : [body] };
}

const LF = 10;
const CR = 13;

/** Lines without their ends; blank lines are none. */
function splitLines(body: Buffer, linesMax: number): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < body.length && lines.length <= linesMax;) {
    const at = body.indexOf(LF, from);
    const to = at === -1 ? body.length : at;
    const line = trimLine(body.subarray(from, to));
    if (line !== undefined) lines.push(line);
    from = to + 1;
  }
  return lines;
}

/** The line without a carriage return at its end; undefined when it is blank. */
export function trimLine(line: Buffer): Buffer | undefined {
  const trimmed = line.at(-1) === CR ? line.subarray(0, -1) : line;
  return trimmed.every(isSpace) ? undefined : trimmed;
}

function splitArray(body: Buffer, elementsMax: number): Split {
  if (!isUtf8(body)) return { ok: false, why: 'the body is not UTF-8' };
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    return { ok: false, why: 'the body is not JSON' };
  }
  if (!Array.isArray(parsed)) return { ok: false, why: 'the body is not a JSON array' };
  return { ok: true, pieces: parsed.length === 0 ? [] : sliceElements(body, elementsMax) };
}

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const OPENING_BRACKET = 91;
const OPENING = new Set([OPENING_BRACKET, 123]);
const CLOSING = new Set([93, 125]);

/** The elements of the outermost array of valid, non-empty JSON. Outside strings, every structural byte is ASCII. */
function sliceElements(body: Buffer, elementsMax: number): Buffer[] {
  const elements: Buffer[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < body.length && elements.length <= elementsMax; at += 1) {
    const byte = body[at] ?? 0;
    if (byte === QUOTE) at = endOfString(body, at);
    else if (OPENING.has(byte)) {
      depth += 1;
      if (depth === 1) from = at + 1;
    } else if (CLOSING.has(byte)) {
      if (depth === 1) elements.push(trimSpace(body.subarray(from, at)));
      depth -= 1;
    } else if (byte === COMMA && depth === 1) {
      elements.push(trimSpace(body.subarray(from, at)));
      from = at + 1;
    }
  }
  return elements;
}

/** The position of the closing quote of the string that opens at `from`. */
function endOfString(body: Buffer, from: number): number {
  for (let at = from + 1; at < body.length; at += 1) {
    if (body[at] === BACKSLASH) at += 1;
    else if (body[at] === QUOTE) return at;
  }
  return body.length;
}

function isSpace(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === LF || byte === CR;
}

function trimSpace(bytes: Buffer): Buffer {
  let [from, to] = [0, bytes.length];
  while (from < to && isSpace(bytes[from] ?? 0)) from += 1;
  while (to > from && isSpace(bytes[to - 1] ?? 0)) to -= 1;
  return bytes.subarray(from, to);
}
