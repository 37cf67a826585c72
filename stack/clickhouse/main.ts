/**
 * Starts ClickHouse's HTTP interface over the embedded engine: `main.ts --port N --path DIR`.
 * A development engine on the loopback interface, without users or rights. Exit code 2 for a bad command line, 1 when the
 * folder or the port can't be had. SIGTERM finishes what runs; SIGKILL loses nothing that was answered.
 */
import { parseArgs } from 'node:util';

const USAGE =
  'usage: main.ts --port <number, 0 = any free> --path <data folder> [--queries 8] [--inserts 6] [--queue 256] [--host 127.0.0.1]';
// After this long a stop stops waiting for queries; nothing that was answered depends on them.
const STOP_LIMIT_MS = 20_000;

function usageError(message: string): never {
  console.error(`${message}\n${USAGE}`);
  process.exit(2);
}

function count(name: string, text: string | undefined, least: number): number {
  const value = Number(text);
  if (text === undefined || !Number.isInteger(value) || value < least)
    usageError(`--${name} must be a number from ${least}`);
  return value;
}

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    path: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    queries: { type: 'string', default: '8' },
    inserts: { type: 'string', default: '6' },
    queue: { type: 'string', default: '256' },
  },
});
if (values.path === undefined) usageError('--path is missing');
if (values.host !== '127.0.0.1') usageError(`--host ${values.host}: no access control here, only 127.0.0.1 is served`);
const options = {
  folder: values.path,
  port: count('port', values.port, 0),
  queries: count('queries', values.queries, 1),
  inserts: count('inserts', values.inserts, 1),
  queueLimit: count('queue', values.queue, 0),
};

// Both are read when the engine is loaded, hence the late import. Every running statement blocks one thread of the pool;
// the others serve files and gzip.
process.env['UV_THREADPOOL_SIZE'] = String(options.queries + options.inserts + 8);
process.env['TZ'] = 'UTC';
const { start } = await import('./server.ts');

const server = await start(options).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
console.log(
  `ClickHouse interface ready: http://127.0.0.1:${server.port} (folder ${options.folder}, pid ${process.pid})`,
);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    // Leaving normally would close connections under running queries, which the engine does not survive.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), STOP_LIMIT_MS).unref();
    void server.stop().then(() => process.exit(0));
  });
}
