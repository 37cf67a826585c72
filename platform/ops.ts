// What a process tells whoever runs it, on a port of its own: GET /metrics (Prometheus), /livez (it answers) and /readyz
// (it can work, or why not). Nothing secret is behind it, but it is not for the world: loopback unless told otherwise.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TrueupError } from '../domain/contracts/errors.ts';
import type { Health } from './health.ts';
import type { Metrics } from './metrics.ts';

export type OpsOptions = {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly metrics: Metrics;
  readonly health: Health;
};

export type Ops = { readonly url: string; stop(): Promise<void> };

/** Throws `rejected` OPS_PORT_TAKEN. */
export async function startOps({ host, port, metrics, health }: OpsOptions): Promise<Ops> {
  const answers: Readonly<Record<string, (response: ServerResponse) => Promise<void>>> = {
    '/metrics': async (response) => send(response, 200, 'text/plain; version=0.0.4', await metrics.render()),
    '/livez': async (response) => sendJson(response, 200, { state: 'alive' }),
    '/readyz': async (response) => {
      const { ready, checks } = health.readiness();
      return sendJson(response, ready ? 200 : 503, { state: ready ? 'ready' : 'not ready', checks });
    },
  };
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    const answer = answers[(request.url ?? '').split('?', 1)[0] ?? ''];
    if (answer === undefined || request.method !== 'GET') {
      void sendJson(response, 404, { code: 'PATH_UNKNOWN', next: `ask GET ${Object.keys(answers).join(', ')}` });
      return;
    }
    answer(response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(toTrueupError(error, host, port)));
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function toTrueupError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES' && error.code !== 'EADDRNOTAVAIL') return error;
  return new TrueupError({
    kind: 'rejected',
    code: 'OPS_PORT_TAKEN',
    message: `metrics and health can't be served at ${host}:${port} (${error.code})`,
    next: 'give every process its own TRUEUP_OPS_PORT',
    cause: error,
  });
}

async function sendJson(response: ServerResponse, status: number, body: object): Promise<void> {
  await send(response, status, 'application/json', JSON.stringify(body));
}

async function send(response: ServerResponse, status: number, type: string, text: string): Promise<void> {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  await new Promise<void>((resolve) => response.end(text, resolve));
}
