// One repair of kafkajs 2.2.4, applied before the first connection. It goes when kafkajs no longer needs it.

import { createRequire } from 'node:module';

type RequestQueue = {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
};

const THROTTLE_POLL_MS = 10;

/**
 * kafkajs 2.2.4 re-arms a timer with a negative delay for ever, even with nothing to send: on Node 24 a warning and a
 * thousand wake-ups a second per connection (kafkajs issue 1704). A queue without pending requests needs no timer,
 * because adding one schedules its own.
 */
export function stopIdleTimer(): { prototype: RequestQueue } {
  const queue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as {
    prototype: RequestQueue;
  };
  queue.prototype.scheduleCheckPendingRequests = function scheduleWhenPending(this: RequestQueue) {
    if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return;
    const waitMs = this.throttledUntil - Date.now();
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      waitMs > 0 ? waitMs : THROTTLE_POLL_MS,
    );
  };
  return queue;
}
