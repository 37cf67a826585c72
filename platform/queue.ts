// BullMQ as an alarm clock: one scheduler per queue wakes one worker. The scheduler is put back whenever Redis comes
// back, because a Redis that lost its data would otherwise leave the worker asleep for ever.

import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Log } from './log.ts';

export type Alarm = { close(): Promise<void> };

export type AlarmOptions = {
  readonly redisUrl: string;
  readonly queue: string;
  readonly everyMs: number;
  readonly log: Log;
  /** One unit of work; runs one at a time in this process. A failure is logged, and the next tick tries again. */
  readonly work: () => Promise<void>;
};

/**
 * A wake-up whose handing out was not heard of (a lost reply, a kill) counts as stalled after so long, and is handed out
 * again; until then no other one is. BullMQ renews the lock of one that is worked on.
 */
const STALLED = { lockDuration: 5_000, stalledInterval: 2_500 };

export function startAlarm({ redisUrl, queue: name, everyMs, log, work }: AlarmOptions): Alarm {
  const connect = () => new Redis(redisUrl, { maxRetriesPerRequest: null, retryStrategy: () => 500 });
  const [queueConnection, workerConnection] = [connect(), connect()];
  const quiet = (error: Error) => log.warn({ queue: name, error: error.message }, 'Redis does not answer as it should');
  queueConnection.on('error', quiet);
  workerConnection.on('error', quiet);
  const queue = new Queue(name, { connection: queueConnection });
  const worker = new Worker(name, async () => work(), { connection: workerConnection, concurrency: 1, ...STALLED });
  queue.on('error', quiet);
  worker.on('error', quiet);
  worker.on('failed', (_job, error) => log.error({ queue: name, error: error.message }, 'a wake-up failed'));

  const schedule = async () => {
    const template = { name: 'tick', opts: { removeOnComplete: true, removeOnFail: 100 } };
    await queue.upsertJobScheduler('tick', { every: everyMs }, template);
  };
  const reschedule = () => {
    schedule().catch((error: unknown) => log.warn({ queue: name, error: String(error) }, 'could not set the alarm'));
  };
  queueConnection.on('ready', reschedule);
  if (queueConnection.status === 'ready') reschedule();

  return {
    close: async () => {
      await worker.close();
      await queue.close();
      queueConnection.disconnect();
      workerConnection.disconnect();
    },
  };
}
