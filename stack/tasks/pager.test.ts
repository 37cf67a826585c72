import { expect, test } from 'vitest';
import { formatNotification } from './pager.ts';

const alert = (alertname: string) => ({
  status: 'firing' as const,
  labels: { alertname, service: 'ingest' },
  annotations: { summary: 'Nothing is stored' },
});

test('a notification reads as who is told of what', () => {
  expect(formatNotification({ receiver: 'pager', alerts: [alert('ConsumptionStopped')] })).toEqual([
    'alert to pager: firing ConsumptionStopped (ingest) Nothing is stored',
  ]);
});

test('a storm of alerts stays a few lines', () => {
  const alerts = Array.from({ length: 100 }, (_, index) => alert(`A${index}`));
  const lines = formatNotification({ receiver: 'support', alerts });
  expect(lines).toHaveLength(6);
  expect(lines.at(-1)).toBe('alert to support: and 95 more');
});

test('the sign of life of alerting itself is not printed', () => {
  expect(formatNotification({ receiver: 'dead-man', alerts: [alert('Watchdog')] })).toEqual([]);
});
