// BullMQ queues: what wakes whom. A job is a wake-up, never the work list: a lost, doubled or ignored job costs time,
// not correctness.

export const ROLLUP_QUEUE = 'trueup-rollup';

/** How often the rollup worker looks at its work list, machine time. */
export const ROLLUP_TICK_MS = 1_000;

export const INTEGRITY_QUEUE = 'trueup-integrity';

/** Often enough to see a finding twice before an hour is over, seldom enough to cost nothing; machine time. */
export const INTEGRITY_TICK_MS = 5 * 60_000;

/** How often usage per tenant is looked at for the metrics, machine time. */
export const TENANT_USAGE_EVERY_MS = 30_000;

/** Promised work that waits for longer is stuck: ten times what a retried call to the biller takes; machine time. */
export const OUTBOX_STUCK_MS = 10 * 60_000;

/** A workflow step that nobody takes, or that fails again and again, for longer is stuck; machine time. */
export const WORKFLOW_STUCK_MS = 10 * 60_000;
