// BullMQ queues: what wakes whom. A job is a wake-up, never the work list: a lost, doubled or ignored job costs time,
// not correctness.

export const ROLLUP_QUEUE = 'trueup-rollup';

/** How often the rollup worker looks at its work list, machine time. */
export const ROLLUP_TICK_MS = 1_000;
