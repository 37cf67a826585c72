import { describe, expect, test } from 'vitest';
import type { TopicFacts } from '../../../platform/kafka-topics.ts';
import { judgeTopic, type TopicNeeds } from './topics.ts';

const SETTINGS = {
  'min.insync.replicas': '2',
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'max.message.bytes': '1048588',
  'message.timestamp.type': 'LogAppendTime',
  'message.timestamp.after.max.ms': '9223372036854775807',
};
const NEEDS: TopicNeeds = { topic: 'usage', clock: 'wall', live: true, batchBytes: 525_000, aheadMs: null };
const SIMULATED: Partial<TopicNeeds> = { clock: 'simulated', live: false, aheadMs: 0 };
const COPIES = { hasLeader: true, replicas: 3, inSync: 3 };

function judge(settings: Record<string, string>, needs: Partial<TopicNeeds> = {}, partitions = [COPIES, COPIES]) {
  const facts: TopicFacts = { partitions, settings: new Map(Object.entries({ ...SETTINGS, ...settings })) };
  const findings = judgeTopic(facts, { ...NEEDS, ...needs });
  return Object.fromEntries(findings.map(({ check, verdict }) => [check.replace('usage ', ''), verdict]));
}

describe('topics', () => {
  test('one that is set as production needs it is ok throughout', () => {
    expect(new Set(Object.values(judge({})))).toEqual(new Set(['ok']));
  });

  test('one that does not exist is a problem', () => {
    expect(judgeTopic(null, NEEDS)).toMatchObject([{ verdict: 'problem', says: 'there is no such topic' }]);
  });

  test('retention shorter than a month may need its records is a problem, a longer one a warning', () => {
    expect(judge({ 'retention.ms': '604800000' })['retention.ms']).toBe('problem');
    expect(judge({ 'retention.ms': `${187 * 86_400_000}` })['retention.ms']).toBe('problem');
    expect(judge({ 'retention.ms': `${188 * 86_400_000}` })['retention.ms']).toBe('warning');
    expect(judge({ 'retention.bytes': '1000000000' })['retention.bytes']).toBe('problem');
  });

  test('compaction is a problem, also beside deletion', () => {
    expect(judge({ 'cleanup.policy': 'compact' })['cleanup.policy']).toBe('problem');
    expect(judge({ 'cleanup.policy': 'compact,delete' })['cleanup.policy']).toBe('problem');
  });

  test('who stamps records depends on the clock', () => {
    const type = (value: string, needs: Partial<TopicNeeds>) =>
      judge({ 'message.timestamp.type': value }, needs)['message.timestamp.type'];
    expect(type('CreateTime', {})).toBe('problem');
    expect(type('CreateTime', { live: false })).toBe('warning');
    expect(type('CreateTime', SIMULATED)).toBe('ok');
    expect(type('LogAppendTime', SIMULATED)).toBe('problem');
  });

  test('a limit below what the door sends is a problem', () => {
    expect(judge({ 'max.message.bytes': '524999' })['max.message.bytes']).toBe('problem');
    expect(judge({ 'max.message.bytes': '525000' })['max.message.bytes']).toBe('ok');
  });

  test('few copies are warnings', () => {
    expect(judge({ 'min.insync.replicas': '1' }, {}, [{ ...COPIES, replicas: 1, inSync: 1 }])).toMatchObject({
      replication: 'warning',
      'min.insync.replicas': 'ok',
    });
    expect(judge({ 'min.insync.replicas': '1' })['min.insync.replicas']).toBe('warning');
    expect(judge({ 'min.insync.replicas': '3' })['min.insync.replicas']).toBe('warning');
    expect(judge({}, {}, [{ ...COPIES, inSync: 2 }])['replication']).toBe('warning');
  });

  test('a partition that takes nothing is a problem', () => {
    expect(judge({}, {}, [COPIES, { ...COPIES, hasLeader: false }])['partitions']).toBe('problem');
    expect(
      judge({ 'min.insync.replicas': '2' }, {}, [{ ...COPIES, replicas: 1, inSync: 1 }])['min.insync.replicas'],
    ).toBe('problem');
  });

  test('simulated time must fit between the stamps the broker takes', () => {
    const afterMax = (limit: string, needs: Partial<TopicNeeds>) =>
      judge({ 'message.timestamp.after.max.ms': limit }, needs)['message.timestamp.after.max.ms'];
    expect(afterMax('3600000', SIMULATED)).toBe('warning');
    expect(afterMax('3600000', { ...SIMULATED, aheadMs: 3_600_001 })).toBe('problem');
    expect(afterMax('9223372036854775807', { ...SIMULATED, aheadMs: 3_600_001 })).toBe('ok');
    expect(afterMax('3600000', {})).toBeUndefined();
  });

  test('a setting that the broker does not tell is unknown', () => {
    const findings = judgeTopic({ partitions: [COPIES], settings: new Map() }, NEEDS);
    expect(findings.filter(({ verdict }) => verdict === 'unknown')).toHaveLength(6);
  });
});
