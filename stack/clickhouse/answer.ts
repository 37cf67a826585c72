/**
 * Writes answers: ClickHouse's headers, whole or streamed bodies, compressed when asked for, errors in ClickHouse's shape.
 *
 * Promises: after the headers are out an error still shows. The server's exception mark is written and the connection broken,
 * never ended properly, so that no reader takes a part for the whole.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { createEncoder, encode } from './encodings.ts';
import type { Encoder, Encoding } from './encodings.ts';
import type { Output } from './engine.ts';
import { httpStatus } from './errors.ts';
import type { EngineError } from './errors.ts';

// Above this an answer is streamed; below it goes out whole, with its length.
const LOOKAHEAD_BYTES = 1024 * 1024;

/** What the engine counted; a count it doesn't give (rows read by a streamed query) is left out, not zero. */
export interface Summary {
  readonly read_rows?: number;
  readonly read_bytes?: number;
  readonly written_rows?: number;
  readonly written_bytes?: number;
  readonly result_rows?: number;
  readonly result_bytes?: number;
}

export class Answer {
  readonly #response: ServerResponse;
  readonly #startedAtNs = process.hrtime.bigint();
  readonly #exceptionTag = randomBytes(8).toString('hex');
  readonly #gone = new AbortController();
  #encoder: Encoder | undefined;
  #format = 'TabSeparated';
  encoding: Encoding | undefined;

  constructor(response: ServerResponse, queryId: string) {
    this.#response = response;
    response.setHeader('X-ClickHouse-Server-Display-Name', 'trueup-clickhouse');
    // A client's id may hold what a header can't.
    response.setHeader('X-ClickHouse-Query-Id', queryId.replace(/[^\x20-\x7e]/g, '?'));
    response.setHeader('X-ClickHouse-Timezone', 'UTC');
    response.setHeader('X-ClickHouse-Exception-Tag', this.#exceptionTag);
    response.once('close', () => {
      if (!response.writableFinished) this.#gone.abort();
    });
  }

  /** Aborted when the client leaves before the answer's end. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  get format(): string {
    return this.#format;
  }

  set format(name: string) {
    this.#format = name;
    this.#response.setHeader('X-ClickHouse-Format', name);
    this.#response.setHeader('Content-Type', contentType(name));
  }

  /** Sends a complete body. */
  async send(bytes: Uint8Array, summary: Summary): Promise<void> {
    this.#setSummary(summary);
    await this.#whole(200, bytes);
  }

  /** Sends an error: as the answer if nothing is out yet, else as a mark at the end of a broken answer. */
  async fail(error: EngineError): Promise<void> {
    if (this.#response.headersSent) {
      await this.#breakOff(error);
      return;
    }
    this.#response.setHeader('X-ClickHouse-Exception-Code', String(error.code));
    this.#response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
    // The rest of an unread body can't be told from the next request.
    if (!this.#response.req.complete) this.#response.setHeader('Connection', 'close');
    await this.#whole(httpStatus(error.code), Buffer.from(error.toText()));
  }

  /** Sends pieces as they come, at the reader's pace. Returns early when the reader has gone. */
  async stream(pieces: AsyncIterable<Output>): Promise<void> {
    const early: Uint8Array[] = [];
    let earlyBytes = 0;
    let rows = 0;
    for await (const piece of pieces) {
      if (this.#response.headersSent) {
        await this.#push(piece.bytes);
      } else {
        early.push(piece.bytes);
        earlyBytes += piece.bytes.length;
        rows += piece.rows;
        if (earlyBytes > LOOKAHEAD_BYTES) {
          this.#setSummary({});
          this.#open();
          await this.#push(Buffer.concat(early));
        }
      }
      if (this.signal.aborted) return;
    }
    if (!this.#response.headersSent) {
      await this.send(Buffer.concat(early), { result_rows: rows, result_bytes: earlyBytes });
      return;
    }
    (this.#encoder ?? this.#response).end();
    await finished(this.#response).catch(() => undefined);
  }

  #open(): void {
    if (this.encoding !== undefined) {
      this.#response.setHeader('Content-Encoding', this.encoding);
      this.#encoder = createEncoder(this.encoding);
      this.#encoder.pipe(this.#response);
    }
    this.#response.writeHead(200);
  }

  async #push(bytes: Uint8Array): Promise<void> {
    const out = this.#encoder ?? this.#response;
    if (this.signal.aborted || out.write(bytes)) return;
    await once(out, 'drain', { signal: this.signal }).catch(() => undefined);
  }

  async #breakOff(error: EngineError): Promise<void> {
    const text = error.toText();
    const tag = this.#exceptionTag;
    const length = Buffer.byteLength(text);
    const mark = `\r\n__exception__\r\n${tag}\r\n${text}${length} ${tag}\r\n__exception__\r\n`;
    await this.#push(Buffer.from(mark));
    const encoder = this.#encoder;
    if (encoder !== undefined) await new Promise<void>((done) => encoder.flush(done));
    // Ends the TCP stream after what is written, without the last chunk that would make the answer complete.
    this.#response.socket?.end();
  }

  #setSummary(summary: Summary): void {
    const all = { ...summary, elapsed_ns: process.hrtime.bigint() - this.#startedAtNs };
    const texts = Object.entries(all).map(([name, value]) => [name, String(value)]);
    this.#response.setHeader('X-ClickHouse-Summary', JSON.stringify(Object.fromEntries(texts)));
  }

  async #whole(status: number, bytes: Uint8Array): Promise<void> {
    const encoding = bytes.length > 0 ? this.encoding : undefined;
    const body = encoding === undefined ? bytes : await encode(encoding, bytes);
    if (encoding !== undefined) this.#response.setHeader('Content-Encoding', encoding);
    this.#response.setHeader('Content-Length', body.length);
    this.#response.writeHead(status);
    this.#response.end(body);
    await finished(this.#response).catch(() => undefined);
  }
}

function contentType(format: string): string {
  if (/^JSON.*EachRow/.test(format)) return 'application/x-ndjson; charset=UTF-8';
  if (format.startsWith('JSON')) return 'application/json; charset=UTF-8';
  if (format.startsWith('CSV')) return 'text/csv; charset=UTF-8';
  if (/^(?:TSV|TabSeparated)/.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  if (/^(?:RowBinary|Native|Parquet|Arrow|MsgPack|Avro|ORC|BSON|Npy)/.test(format)) return 'application/octet-stream';
  return 'text/plain; charset=UTF-8';
}
