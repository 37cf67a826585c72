// The HTTP door: POST /v1/events, POST /v1/manifests, and GET /health for whoever routes to it. It stops gracefully: no new
// connections, what came in is answered, and only then is it closed.

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { INTAKE_LIMITS } from '../../domain/contracts/intake.ts';
import type { Log } from '../../platform/log.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { answerFailure, refuse, type Answer } from './answer.ts';
import { countAnswer } from './count-answer.ts';
import { takeIn, type Facts, type IntakeParts } from './intake.ts';
import type { LogWriter } from './log-writer.ts';
import type { Noun } from './outcome.ts';
import { traceRequest } from './trace-request.ts';

export type DoorOptions = IntakeParts & {
  readonly host: string;
  readonly port: number;
  readonly log: Log;
  readonly metrics: Metrics;
};

export type Door = {
  readonly url: string;
  /** Answers what came in, refuses what comes, and resolves when all connections are closed. */
  stop(): Promise<void>;
};

const NOUNS: Readonly<Record<string, Noun>> = { '/v1/events': 'event', '/v1/manifests': 'manifest' };
const HEALTH_PATH = '/health';
const REQUEST_TIMEOUT_MS = 30_000;
/** Below the process's own stop timeout. */
const STOP_WITHIN_MS = 15_000;
const REQUEST_ID = /^[\w.:-]{1,128}$/;

export async function startDoor(options: DoorOptions): Promise<Door> {
  const stopping = new AbortController();
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: 10_000 }, (request, response) => {
    void serve(request, response, { options, stopping: stopping.signal });
  });
  // Malformed HTTP never reaches `serve`; Node answers 400 or 431 and closes, and nothing of ours is involved.
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    stop: async () => {
      stopping.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const late = setTimeout(() => server.closeAllConnections(), STOP_WITHIN_MS);
      await closed;
      clearTimeout(late);
    },
  };
}

async function listen(server: Server, { host, port }: DoorOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

type Serving = { readonly options: DoorOptions; readonly stopping: AbortSignal };

async function serve(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const { log } = serving.options;
  const startMs = performance.now();
  const given = request.headers['x-request-id'];
  const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
  // Without its query: people put secrets there.
  const path = (request.url ?? '').split('?', 1)[0]?.slice(0, 200) ?? '';
  const facts: Facts = { requestId, method: request.method ?? '', path };
  let answer: Answer;
  try {
    answer = await route(path, request, { serving, facts });
  } catch (error) {
    if (request.destroyed && !request.complete) {
      log.info({ ...facts, durationMs: Math.round(performance.now() - startMs) }, 'the client went away');
      return;
    }
    answer = answerFailure(error);
    facts['error'] = String(error);
  }
  const { status, code } = answer;
  const text = JSON.stringify({ ...answer.body, requestId });
  response.writeHead(status, {
    ...answer.headers,
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'X-Request-Id': requestId,
    ...(serving.stopping.aborted ? { Connection: 'close' } : {}),
  });
  response.end(text);
  const durationMs = Math.round(performance.now() - startMs);
  countAnswer(serving.options, { path, source: facts['source'], status, code, durationMs });
  const line = { ...facts, status, code, durationMs };
  if (path === HEALTH_PATH) log.debug(line, 'request');
  else if (code === 'INTERNAL') log.error(line, 'request');
  else log.info(line, 'request');
}

type Routing = { readonly serving: Serving; readonly facts: Facts };

async function route(path: string, request: IncomingMessage, { serving, facts }: Routing): Promise<Answer> {
  const { options, stopping } = serving;
  if (path === HEALTH_PATH) return checkHealth(options, stopping);
  const noun = Object.hasOwn(NOUNS, path) ? NOUNS[path] : undefined;
  if (noun === undefined) return refuse('PATH_UNKNOWN', 'there is nothing at this path');
  if (request.method !== 'POST') {
    return refuse('METHOD_NOT_ALLOWED', `${noun}s are posted`, { headers: { Allow: 'POST' } });
  }
  if (stopping.aborted) return refuse('STOPPING', 'this process is stopping');
  return traceRequest({ tracing: options.tracing, route: path, facts }, request, async () =>
    takeIn(request, { noun, parts: options, facts }),
  );
}

/** Null while the broker acknowledges in time. */
export function describeLog({ waitingMs }: Pick<LogWriter, 'waitingMs'>): string | null {
  return waitingMs() > INTAKE_LIMITS.ackTimeoutMs ? 'the broker does not acknowledge' : null;
}

/**
 * Not well while the broker keeps an event waiting for longer than a request would: traffic belongs elsewhere then.
 * Manifests that wait are told so one by one; usage must not be sent away because of them.
 */
function checkHealth({ writers, budget }: DoorOptions, stopping: AbortSignal): Answer {
  if (stopping.aborted) return refuse('STOPPING', 'this process is stopping');
  const wrong = describeLog(writers.event);
  if (wrong !== null) return refuse('NOT_ACKNOWLEDGED', wrong);
  return { status: 200, headers: {}, body: { state: 'ok', bytesInFlight: budget.reservedBytes }, code: 'OK' };
}
