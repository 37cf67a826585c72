// At least one record per reject reason, each in order in everything that is checked before.

import type { RejectReason } from '../../domain/contracts/reject-reasons.ts';
import type { OutgoingRecord } from '../../platform/kafka.ts';
import { usageRecord } from './bench.ts';

export type RejectedRecord = { readonly reason: RejectReason; readonly record: OutgoingRecord };

const DAY_MS = 86_400_000;

export function rejectedRecords(atMs: number): RejectedRecord[] {
  const raw = (reason: RejectReason, value: Buffer | null): RejectedRecord => {
    return { reason, record: { key: 'some key', value, timestampMs: atMs } };
  };
  const changed = (reason: RejectReason, attributes: Record<string, unknown>): RejectedRecord => {
    return { reason, record: usageRecord(0, { atMs, id: `bad-${reason}`, attributes }) };
  };
  const keyed = usageRecord(0, { atMs, id: 'bad-key' });
  return [
    raw('EMPTY', null),
    raw('EMPTY', Buffer.alloc(0)),
    raw('LINE_TOO_LARGE', Buffer.alloc(900_000, 'x')),
    raw('LINE_TOO_LARGE', Buffer.alloc(65_537, 'x')),
    raw('ENCODING_INVALID', Buffer.from([0x7b, 0xff, 0x7d])),
    raw('NOT_JSON', Buffer.from('heartbeat')),
    raw('NOT_AN_OBJECT', Buffer.from('[]')),
    changed('SPECVERSION_UNSUPPORTED', { specversion: '0.3' }),
    changed('ATTRIBUTE_MISSING', { time: undefined }),
    changed('ATTRIBUTE_INVALID', { 'na\tme\n\\': { nested: true } }),
    changed('SUBJECT_INVALID', { subject: 'pay\t\\ments' }),
    changed('TYPE_UNKNOWN', { type: 'workflow_started' }),
    changed('TIME_INVALID', { time: 'yesterday' }),
    changed('QUANTITY_INVALID', { quantity: '-1' }),
    changed('QUANTITY_NOT_WHOLE', { quantity: '1.5' }),
    changed('VOID_INVALID', { type: 'void' }),
    { reason: 'KEY_MISMATCH', record: { ...keyed, key: Buffer.from([0xff, 0x00, 0x09]) } },
    { reason: 'KEY_MISMATCH', record: { ...keyed, key: null } },
    changed('TIME_TOO_OLD', { time: new Date(atMs - 36 * DAY_MS).toISOString() }),
    changed('TIME_IN_FUTURE', { time: new Date(atMs + DAY_MS).toISOString() }),
  ];
}
