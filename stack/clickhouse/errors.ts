/**
 * Errors in ClickHouse's own shape: number, symbolic name, text, and the HTTP status a server would answer with.
 * Pure. Nothing here decides whether a call may be repeated; the caller reads the code.
 */

const ENGINE_VERSION = '26.7.2.1';

/** One failure a client can act on: `Code: 60. DB::Exception: … (UNKNOWN_TABLE) (version …)`. */
export class EngineError extends Error {
  readonly code: number;
  readonly type: string;
  constructor(code: number, type: string, message: string) {
    super(message);
    this.name = 'EngineError';
    this.code = code;
    this.type = type;
  }

  /** The body a ClickHouse server sends. */
  toText(): string {
    const text = this.message.replace(/\s+$/, '');
    const stop = /[.!?]$/.test(text) ? '' : '.';
    return `Code: ${this.code}. DB::Exception: ${text}${stop} (${this.type}) (version ${ENGINE_VERSION})\n`;
  }
}

const HEAD = /^\s*(?:Query failed: )?Code: (\d+)\. DB::Exception: /;
const TAIL = /\s*\(([A-Z][A-Z0-9_]{2,})\)(?:\s*\(version [^)]*\))?\.?\s*$/;

/** Reads the engine's message; the engine repeats head and tail when one exception wraps another. */
export function fromEngineMessage(message: string): EngineError {
  let text = message;
  let code: number | undefined;
  let type: string | undefined;
  for (let head = HEAD.exec(text); head !== null; head = HEAD.exec(text)) {
    code ??= Number(head[1]);
    text = text.slice(head[0].length);
  }
  for (let tail = TAIL.exec(text); tail !== null; tail = TAIL.exec(text)) {
    type ??= tail[1];
    text = text.slice(0, tail.index);
  }
  return new EngineError(code ?? 1001, type ?? 'STD_EXCEPTION', text);
}

export function toEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  // Our own writing of a large body ran into the full disk before the engine did.
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
    return new EngineError(243, 'NOT_ENOUGH_SPACE', error.message);
  }
  return fromEngineMessage(error instanceof Error ? error.message : String(error));
}

// After the server's own table of codes and statuses; 202 and 236 are 503 so that a client waits and repeats.
const BAD_REQUEST = new Set([
  6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 43, 44, 53, 62, 72, 76, 117, 123, 167, 168, 223, 376, 427, 441, 456, 457, 675,
  676,
]);
const NOT_FOUND = new Set([46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 139, 152, 336]);
const STATUS: ReadonlyMap<number, number> = new Map([
  [48, 501],
  [159, 408],
  [202, 503],
  [209, 503],
  [229, 413],
  [236, 503],
  [381, 411],
  [439, 503],
]);

/** The status ClickHouse's HTTP handler gives for an exception code. */
export function httpStatus(code: number): number {
  if (BAD_REQUEST.has(code)) return 400;
  if (NOT_FOUND.has(code)) return 404;
  return STATUS.get(code) ?? 500;
}
