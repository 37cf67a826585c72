import { expect, test, vi } from 'vitest';
import { stopIdleTimer } from './kafka-idle-timer.ts';

test('a Kafka connection with nothing to send sets no timer', () => {
  const queue = Object.assign(
    Object.create(stopIdleTimer().prototype) as ReturnType<typeof stopIdleTimer>['prototype'],
    {
      pending: [],
      throttledUntil: -1,
      throttleCheckTimeoutId: null,
    },
  );
  queue.scheduleCheckPendingRequests();
  expect(queue.throttleCheckTimeoutId).toBeNull();
});

test('a Kafka connection that was throttled sends what waits, once, when the throttle ends', () => {
  vi.useFakeTimers();
  const check = vi.fn<() => void>();
  const queue = Object.assign(
    Object.create(stopIdleTimer().prototype) as ReturnType<typeof stopIdleTimer>['prototype'],
    {
      pending: ['a request'],
      throttledUntil: Date.now() + 1_000,
      throttleCheckTimeoutId: null,
      checkPendingRequests: check,
    },
  );
  queue.scheduleCheckPendingRequests();
  queue.scheduleCheckPendingRequests();
  vi.advanceTimersByTime(999);
  expect(check).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(check).toHaveBeenCalledOnce();
  vi.useRealTimers();
});
