/**
 * One HTTP request, one answer: routes, query ids, method and host rules.
 *
 * Promises: every request is answered or its connection broken; no request is taken after close().
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Answer } from './answer.ts';
import { readBody } from './body.ts';
import { EngineError, toEngineError } from './errors.ts';
import type { Executor } from './execute.ts';
import { isMultipart, parseMultipart } from './multipart.ts';
import { prepare } from './request.ts';
import { parseOptions } from './settings.ts';
import type { RequestOptions } from './settings.ts';

// A body up to this size is inserted whole or not at all.
const WHOLE_BODY_BYTES = 64 * 1024 * 1024;
const BASE = 'http://127.0.0.1';
const HEALTH_PATHS = new Set(['/ping', '/replicas_status']);

export class Door {
  readonly #executor: Executor;
  readonly #running = new Map<string, Promise<void>>();
  #isClosed = false;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client that leaves shows in the reading and writing code; these events would only end the process.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const url = URL.parse(request.url ?? '/', BASE) ?? new URL('/unreadable', BASE);
    const queryId = url.searchParams.get('query_id') || randomUUID();
    const answer = new Answer(response, queryId);
    try {
      this.#admit(request);
      if (isHealthCheck(request, url)) response.writeHead(200, { 'Content-Type': 'text/html' }).end('Ok.\n');
      else await this.#exclusively(queryId, async () => this.#run(request, url, answer));
    } catch (error) {
      await answer.fail(toEngineError(error));
    }
    if (this.#isClosed) request.socket.end();
  }

  /** Refuses new requests and resolves when the running ones have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#running.values());
  }

  #admit(request: IncomingMessage): void {
    if (this.#isClosed) throw new EngineError(236, 'ABORTED', 'The server is stopping: repeat the request later');
    // A page in a browser could otherwise reach this port under a name of its own.
    const host = (request.headers.host ?? '127.0.0.1').replace(/:\d+$/, '').toLowerCase();
    if (!['127.0.0.1', 'localhost', '[::1]', 'host.docker.internal'].includes(host)) {
      throw new EngineError(
        516,
        'AUTHENTICATION_FAILED',
        `Host ${host} is refused: this engine serves the loopback only`,
      );
    }
    if (request.method !== 'GET' && request.method !== 'POST') {
      throw new EngineError(48, 'NOT_IMPLEMENTED', `Method ${request.method} is not served: send GET or POST`);
    }
  }

  async #run(request: IncomingMessage, url: URL, answer: Answer): Promise<void> {
    if (url.pathname !== '/') throw new EngineError(60, 'UNKNOWN_TABLE', `There is no handle ${url.pathname}`);
    const queryId = url.searchParams.get('query_id') ?? '';
    const cancelMark = /^[\w-]+$/.test(queryId) ? queryId : randomUUID();
    const options = parseOptions(url.searchParams, request.headers, cancelMark);
    answer.encoding = options.answerEncoding;
    const body = await readBody(request, WHOLE_BODY_BYTES);
    const type = request.headers['content-type'];
    const prepared = isMultipart(type)
      ? prepare(await withFields(options, body.head, type), { head: Buffer.alloc(0), rest: undefined })
      : prepare(options, body);
    if (request.method === 'GET' && prepared.statement.kind !== 'read') {
      const why =
        'For queries over HTTP, method GET implies readonly. Use method POST for queries that change anything';
      throw new EngineError(164, 'READONLY', `Cannot execute query in readonly mode. ${why}`);
    }
    await this.#executor.execute({ prepared, options, answer });
  }

  async #exclusively(queryId: string, work: () => Promise<void>): Promise<void> {
    if (this.#running.has(queryId)) {
      const message = `Query with id = ${queryId} is already running`;
      throw new EngineError(216, 'QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING', message);
    }
    const running = work();
    this.#running.set(queryId, running);
    try {
      await running;
    } finally {
      this.#running.delete(queryId);
    }
  }
}

async function withFields(options: RequestOptions, body: Buffer, contentType: string): Promise<RequestOptions> {
  const fields = await parseMultipart(body, contentType);
  return {
    ...options,
    query: options.query + fields.query,
    parameters: new Map([...options.parameters, ...fields.parameters]),
  };
}

function isHealthCheck(request: IncomingMessage, url: URL): boolean {
  if (HEALTH_PATHS.has(url.pathname)) return true;
  return url.pathname === '/' && request.method === 'GET' && !url.searchParams.has('query');
}
