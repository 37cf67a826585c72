import { expect, test } from 'vitest';
import type { UsageEvent } from '../domain/event.ts';
import { isCaseValid, NO_CASES, parseCaseKeys, signCase } from './case.ts';
import { validate } from './validate.ts';

const KEYS = parseCaseKeys('k2:0123456789abcdef,k1:fedcba9876543210');
const [NEW = { id: '', secret: '' }, OLD = { id: '', secret: '' }] = KEYS;
const AT_MS = Date.UTC(2026, 0, 5, 12);
const ARRIVAL_MS = Date.UTC(2026, 9, 5);
const EVENT: UsageEvent = {
  id: 'e1',
  source: '/cell/1',
  subject: 'pay.acme',
  type: 'query',
  atMs: AT_MS,
  quantity: '3',
  voids: '',
};

function decide(attributes: Record<string, unknown>, cases = KEYS, arrivalMs = ARRIVAL_MS) {
  const { atMs, voids: _voids, ...rest } = EVENT;
  const event = { specversion: '1.0', ...rest, time: new Date(atMs).toISOString(), ...attributes };
  const verdict = validate(Buffer.from('pay.acme /cell/1 e1'), Buffer.from(JSON.stringify(event)), arrivalMs, cases);
  return verdict.accepted ? 'accepted' : verdict.reason;
}

test('a case signed by an operator waives the age rule, whatever the order of the keys', () => {
  expect(decide({})).toBe('TIME_TOO_OLD');
  expect(decide({ trueupcase: signCase('late-1', EVENT, KEYS) })).toBe('accepted');
  expect(decide({ trueupcase: signCase('late-1', EVENT, [OLD]) }, [NEW, OLD])).toBe('accepted');
});

test('a forged case, one for another event, and one of an unknown key waive nothing', () => {
  const signed = signCase('late-1', EVENT, KEYS);
  const others = [
    signCase('late-1', { ...EVENT, quantity: '4' }, KEYS),
    signCase('late-1', { ...EVENT, id: 'e2' }, KEYS),
    signed.replace('late-1', 'late-2'),
    `${signed}x`,
    `${signed}.x`,
    'late-1.k2.',
    'late-1',
    '..',
    17,
    signCase('late-1', EVENT, [{ id: 'k2', secret: 'another secret, same id' }]),
    signCase('late-1', EVENT, [{ id: 'k9', secret: NEW.secret }]),
  ];
  for (const trueupcase of others) expect(decide({ trueupcase })).toBe('TIME_TOO_OLD');
  expect(decide({ trueupcase: signed }, NO_CASES)).toBe('TIME_TOO_OLD');
});

test('a case waives the age and nothing else', () => {
  const future = { ...EVENT, atMs: ARRIVAL_MS + 3_600_000 };
  const ahead = { time: new Date(future.atMs).toISOString(), trueupcase: signCase('c', future, KEYS) };
  expect(decide(ahead)).toBe('TIME_IN_FUTURE');
  expect(decide({ quantity: '-3', trueupcase: signCase('c', EVENT, KEYS) })).toBe('QUANTITY_INVALID');
});

test('a record in time needs no case, and a wrong one does it no harm', () => {
  expect(decide({ trueupcase: 'nonsense' }, KEYS, AT_MS)).toBe('accepted');
  expect(isCaseValid('nonsense', EVENT, KEYS)).toBe(false);
});

test('keys too short, and case ids with other characters, are refused without showing a secret', () => {
  expect(() => parseCaseKeys('k1:short')).toThrow('at least 16');
  expect(() => parseCaseKeys('k1:short')).not.toThrow('short,');
  expect(() => signCase('Late 1', EVENT, KEYS)).toThrow('not a case id');
  expect(() => signCase('late-1', EVENT, NO_CASES)).toThrow('TRUEUP_CASE_KEYS');
});
