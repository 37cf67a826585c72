// Every alert that Prometheus raises. On-call is told what it can act on; the rest is on boards.
// Not here, because nothing exports it yet: provisioning. Its row comes with the lifecycle room (failure rate, stuck longer
// than ten minutes); until then a rule over it could never fire.

import { BILLING_ALERTS } from './billing.ts';
import { BURN_ALERTS } from './burn.ts';
import { PIPELINE_ALERTS } from './pipeline.ts';
import { PLATFORM_ALERTS } from './platform.ts';
import type { Alert } from './alert.ts';
import { WATCHING_ALERTS } from './watching.ts';

export const ALERTS: readonly Alert[] = [
  ...PLATFORM_ALERTS,
  ...PIPELINE_ALERTS,
  ...BURN_ALERTS,
  ...BILLING_ALERTS,
  ...WATCHING_ALERTS,
];
