// The room's worker as a process of its own over a given usage, so that a test can kill it. Argument: a JSON file.

import { readFileSync } from 'node:fs';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { createAccounts } from '../../accounts/door.ts';
import { METERS } from '../../domain/meter.ts';
import { createClock } from '../../platform/clock.ts';
import { createLog } from '../../platform/log.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { createStripeBilling } from '../billing/stripe.ts';
import { createWorker } from '../worker.ts';
import { createMemoryUsage } from './memory-usage.ts';

export type WorkerProcessInput = {
  readonly postgresUrl: string;
  readonly namespace: string;
  readonly address: string;
  readonly stripeUrl: string;
  readonly stripeKey: string;
  readonly hours: readonly { account: string; meter: string; hourAtMs: number; quantity: string }[];
};

// The SDK's own log would drown the tests' output.
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const input = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as WorkerProcessInput;
const hours = input.hours.flatMap((hour) => {
  const meter = METERS.find((name) => name === hour.meter);
  return meter === undefined ? [] : [{ ...hour, meter, quantity: BigInt(hour.quantity) }];
});
const worker = await createWorker({
  connection: await NativeConnection.connect({ address: input.address }),
  namespace: input.namespace,
  deps: {
    db: createPostgres(input.postgresUrl),
    usage: createMemoryUsage(hours),
    accounts: createAccounts(createPostgres(input.postgresUrl)),
    billing: createStripeBilling({ key: input.stripeKey, url: input.stripeUrl }),
    clock: createClock('simulated', createPostgres(input.postgresUrl)),
    log: createLog('reconcile', 'silent'),
    codeVersion: 'test',
  },
});
await worker.run();
