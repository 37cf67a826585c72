// Starts the sender beside the servers and takes down what it says.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type SenderOptions = {
  readonly broker: string;
  readonly topic: string;
  readonly partitions: number;
  readonly namespaces: number;
  /** Events a second. */
  readonly rate: number;
  readonly seconds: number;
};

export type Sent = { readonly messages: number; readonly tookMs: number; readonly cpuSeconds: number };

export type Sender = {
  /** When the first tick began, epoch milliseconds. */
  readonly startMs: number;
  /** When the broker acknowledged a tick and the probe of its number, epoch milliseconds; grows. */
  readonly acked: ReadonlyMap<number, number>;
  /** Rejects when the sender ended before it had sent all. */
  readonly done: Promise<Sent>;
  stop(): void;
};

/** Resolves when it begins to send. */
export async function startSender(options: SenderOptions): Promise<Sender> {
  const { broker, topic, partitions, namespaces, rate, seconds } = options;
  const file = join(import.meta.dirname, 'sender.ts');
  const args = [file, broker, topic, ...[partitions, namespaces, rate, seconds].map(String)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const acked = new Map<number, number>();
  const started = Promise.withResolvers<number>();
  const done = Promise.withResolvers<Sent>();
  done.promise.catch(() => undefined);
  createInterface(child.stdout).on('line', (line) => {
    const [word, ...figures] = line.split(' ');
    const [first = 0, second = 0, third = 0] = figures.map(Number);
    if (word === 'sending') started.resolve(first);
    if (word === 'acked') acked.set(first, second);
    if (word === 'sent') done.resolve({ messages: first, tookMs: second, cpuSeconds: third });
  });
  void once(child, 'close').then(([code]) => {
    const error = new Error(`the sender ended early with code ${code}`);
    started.reject(error);
    done.reject(error);
  });
  return { startMs: await started.promise, acked, done: done.promise, stop: () => child.kill() };
}
