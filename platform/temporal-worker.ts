// A worker's connection to Temporal. Apart from temporal.ts, because it loads the native core, which clients don't need.

import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import type { Log } from './log.ts';
import type { TemporalOptions } from './temporal.ts';

/** A worker's connection. The SDK's own log lines go through `log`; call it once per process, before any worker. */
export async function connectWorker({ address }: TemporalOptions, log: Log): Promise<NativeConnection> {
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      // Activities write a line of their own when they fail, with the business key and the code.
      if (message === 'Activity failed') return;
      const line = {
        sdk: 'temporal',
        message,
        ...(meta?.['error'] === undefined ? {} : { error: String(meta['error']) }),
      };
      if (level === 'ERROR') log.error(line, 'temporal');
      else log.warn(line, 'temporal');
    }),
    shutdownSignals: [],
  });
  return NativeConnection.connect({ address });
}
