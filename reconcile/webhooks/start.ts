// Receiver, processor and hourly sweep in one process. Any number of them may run: rows in Postgres are all they share.

import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Shutdown } from '../../platform/shutdown.ts';
import type { OnChange, WebhookSource } from './port.ts';
import { createProcessor } from './process.ts';
import { startReceiver } from './receiver.ts';
import { sweep } from './sweep.ts';
import type { WebhookDb } from './tables.ts';

export type WebhookOptions = {
  readonly host: string;
  readonly port: number;
  readonly db: WebhookDb;
  readonly source: WebhookSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly shutdown: Shutdown;
  readonly onChange: OnChange;
};

const SWEEP_EVERY_MS = 3_600_000;

/** Resolves when it listens; stops with the process. */
export async function startWebhooks(options: WebhookOptions): Promise<string> {
  const { db, source, clock, log, shutdown } = options;
  const processor = createProcessor(options);
  const running = processor.run(shutdown.signal);
  shutdown.onStop('webhook processor', async () => running);
  const receiver = await startReceiver({ ...options, onRung: () => processor.wake() });
  shutdown.onStop('webhook receiver', async () => receiver.stop());
  const sweepOnce = () => {
    clock
      .now()
      .then(async (nowMs) => sweep({ db, source, nowMs }))
      .then((found) => {
        if (found.events + found.invoices > 0) log.warn(found, 'a sweep found what never rang');
        processor.wake();
      })
      .catch((error: unknown) =>
        log.warn({ error: String(error) }, 'a sweep did not finish; the next one begins again'),
      );
  };
  sweepOnce();
  const timer = setInterval(sweepOnce, SWEEP_EVERY_MS);
  shutdown.onStop('webhook sweeps', () => clearInterval(timer));
  log.info({ url: receiver.url }, 'listening for webhooks');
  return receiver.url;
}
