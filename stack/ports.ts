// Free loopback ports, below the range the kernel hands out to clients: a server that is down for a moment must find its own port free again.
// Promises: a reserved port is held by a listener until the server that gets it is about to start.
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { StackError } from './errors.ts';

const lowest = 15_000;
const highest = 30_000;

export type Reservation = { port: number; release: () => Promise<void> };

/** Reserves `preferred` when it is free, else any free port. */
export async function reservePort(preferred?: number): Promise<Reservation> {
  const candidates = [...(preferred === undefined ? [] : [preferred]), ...Array.from({ length: 200 }, anyPort)];
  for (const port of candidates) {
    const listener = await listen(port);
    if (listener !== undefined) return { port, release: async () => close(listener) };
  }
  throw new StackError({
    what: 'no free port',
    where: `127.0.0.1:${lowest}–${highest}`,
    next: 'stop what is listening there (npm run stack -- status shows our own stacks)',
  });
}

function anyPort(): number {
  return randomInt(lowest, highest);
}

async function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}

async function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
