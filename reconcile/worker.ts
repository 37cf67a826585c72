// The Temporal worker of this room: workflows bundled from workflows.ts, activities over the given clients.

import { fileURLToPath } from 'node:url';
import { Worker, type NativeConnection } from '@temporalio/worker';
import { NO_TRACING, type Tracing } from '../platform/tracing.ts';
import { traceWorker } from '../platform/tracing-temporal.ts';
import { createActivities } from './activities.ts';
import type { Deps } from './activities/deps.ts';
import { TASK_QUEUE } from './activity-types.ts';

export const WORKFLOWS_PATH = fileURLToPath(new URL('./workflows.ts', import.meta.url));

/** Each works on several accounts at once and waits for Stripe and the databases most of the time; more would only queue there. */
const ACTIVITIES_AT_ONCE = 5;
/** Work at hand gets this long to finish on a stop; what is cut off is repeated by the next worker. */
const GRACE_ON_STOP = '15 seconds';

export type WorkerOptions = {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly deps: Deps;
  readonly tracing?: Tracing;
};

export async function createWorker({
  connection,
  namespace,
  deps,
  tracing = NO_TRACING,
}: WorkerOptions): Promise<Worker> {
  return Worker.create({
    connection,
    namespace,
    taskQueue: TASK_QUEUE,
    workflowsPath: WORKFLOWS_PATH,
    activities: createActivities(deps),
    maxConcurrentActivityTaskExecutions: ACTIVITIES_AT_ONCE,
    shutdownGraceTime: GRACE_ON_STOP,
    ...(await traceWorker(tracing)),
  });
}
