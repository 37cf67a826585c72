import { describe, expect, test } from 'vitest';
import { traceEvents, type StoredEvent } from './fate.ts';

const AT_MS = Date.UTC(2026, 9, 3, 12);
const copy = (of: Partial<StoredEvent>): StoredEvent => ({
  namespace: 'payments.acme',
  type: 'workflow_start',
  source: '/dataplane/a',
  id: 'e1',
  quantity: '1',
  voids: '',
  atMs: AT_MS,
  arrivedAtMs: AT_MS,
  partition: 0,
  offset: 10n,
  conflict: false,
  ...of,
});
const fates = (events: readonly StoredEvent[], barrier: readonly bigint[] | null = null) =>
  traceEvents(events, barrier).map(({ fate }) => fate);

describe('what became of an event', () => {
  test('the first copy counts, further ones are duplicates, whatever order they are read in', () => {
    expect(fates([copy({ offset: 12n }), copy({ offset: 10n }), copy({ offset: 11n })])).toEqual([
      'counted',
      'duplicate',
      'duplicate',
    ]);
  });

  test('the same id of another source is another event', () => {
    expect(fates([copy({}), copy({ source: '/dataplane/b', offset: 11n })])).toEqual(['counted', 'counted']);
  });

  test('a copy with other content is a conflict', () => {
    expect(fates([copy({}), copy({ quantity: '2', offset: 11n, conflict: true })])).toEqual(['counted', 'conflict']);
  });

  test('a void takes back the event it names, and is named by it', () => {
    const events = [copy({}), copy({ id: 'v1', type: 'void', voids: 'e1', offset: 20n })];
    expect(traceEvents(events, null)).toMatchObject([{ fate: 'voided', voidedBy: 'v1' }, { fate: 'void' }]);
  });

  test('what lies behind the barrier is late; a void behind it leaves the closed total alone', () => {
    const events = [
      copy({}),
      copy({ id: 'e2', offset: 30n }),
      copy({ id: 'v1', type: 'void', voids: 'e1', offset: 31n }),
    ];
    expect(fates(events, [20n])).toEqual(['counted', 'late', 'void']);
  });

  test('a type outside the catalogue is not billable', () => {
    expect(fates([copy({ type: 'unheard_of' })])).toEqual(['not billable']);
  });
});
