/**
 * Starts and stops the interface: the folder, the lanes, the listening socket.
 *
 * Promises: bound to 127.0.0.1 only; a second process on the same folder fails at start; stop() finishes what runs and refuses
 * what is new. When it dies, requests without an answer are undecided and the caller repeats them.
 */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { Door } from './door.ts';
import { Connection, drainEngine } from './engine.ts';
import { toEngineError } from './errors.ts';
import { Executor } from './execute.ts';
import { Lane } from './lane.ts';
import { Spill } from './spill.ts';

export interface ServerOptions {
  readonly port: number;
  readonly folder: string;
  /** Statements that run at once, data inserts apart. */
  readonly queries: number;
  /** Data inserts that run at once. */
  readonly inserts: number;
  /** Requests that may wait, per lane. */
  readonly queueLimit: number;
}

export interface RunningServer {
  readonly port: number;
  /** Resolves when everything that ran has its answer and the folder is free. */
  stop(): Promise<void>;
}

const HEADER_LIMIT_BYTES = 1024 * 1024;
const KEEP_ALIVE_MS = 30_000;

/** Throws with the reason when the folder or the port can't be had. */
export async function start(options: ServerOptions): Promise<RunningServer> {
  const folder = resolve(options.folder);
  mkdirSync(folder, { recursive: true });
  const connect = (): Connection => new Connection(folder);
  const { queueLimit } = options;
  const queries = new Lane({ name: 'queries', size: options.queries, queueLimit, connect });
  const inserts = new Lane({ name: 'inserts', size: options.inserts, queueLimit, connect });
  await openEngine(queries, folder);
  // Only the folder's owner may clear it, hence after the engine has locked the folder.
  const spill = new Spill(folder);

  const door = new Door(new Executor({ queries, inserts, spill, connect }));
  // No request timeout: an insert may stream for hours.
  const server = createServer({
    maxHeaderSize: HEADER_LIMIT_BYTES,
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  server.on('request', (request, response) => void door.answer(request, response));
  await new Promise<void>((listening, fail) => {
    server.once('error', fail);
    server.listen(options.port, '127.0.0.1', listening);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise((done) => server.close(done));
      server.closeIdleConnections();
      await door.close();
      server.closeIdleConnections();
      await drainEngine();
      queries.close();
      inserts.close();
      await drainEngine();
      spill.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function openEngine(lane: Lane, folder: string): Promise<void> {
  try {
    await lane.with(new AbortController().signal, async (connection) => connection.run('SELECT 1'));
  } catch (error) {
    const reason = toEngineError(error).toText().trim();
    throw new Error(`can't open the ClickHouse folder ${folder} (is another process using it?): ${reason}`, {
      cause: error,
    });
  }
}
