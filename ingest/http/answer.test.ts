import { expect, test } from 'vitest';
import { REQUEST_CODES, type RequestCode } from '../../domain/contracts/intake.ts';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { answerFailure, refuse, refuseRate } from './answer.ts';

const codes = Object.keys(REQUEST_CODES) as RequestCode[];

test.each(codes)('%s: whoever may send again is told when, in whole seconds, and nobody else is', (code) => {
  const { headers, body, status } = refuse(code, 'why');
  const { retryable } = REQUEST_CODES[code];
  expect(body['retryable']).toBe(retryable);
  expect(status === 429 || status >= 500).toBe(retryable);
  if (retryable) expect(headers['Retry-After']).toMatch(/^[1-9]\d*$/);
  else expect(headers).not.toHaveProperty('Retry-After');
});

test('a limited key is told its own time, rounded up', () => {
  const times = [1, 1_000, 1_001, 90_000].map((waitMs) => refuseRate(waitMs, 'why').headers['Retry-After']);
  expect(times).toEqual(['1', '1', '2', '90']);
});

test('what is away decides the code, and each of them says when to come back', () => {
  const away = (code: 'KAFKA_UNAVAILABLE' | 'POSTGRES_UNAVAILABLE') =>
    answerFailure(new TrueupError({ kind: 'unavailable', code, message: 'secret' }));
  const answers = [away('KAFKA_UNAVAILABLE'), away('POSTGRES_UNAVAILABLE'), answerFailure(new Error('secret'))];
  expect(answers.map(({ code, status }) => [code, status])).toEqual([
    ['NOT_ACKNOWLEDGED', 503],
    ['OVERLOADED', 503],
    ['INTERNAL', 500],
  ]);
  for (const { headers, body } of answers) {
    expect(headers['Retry-After']).toBe('2');
    expect(JSON.stringify(body)).not.toContain('secret');
  }
});
