import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { TrueupError, type ErrorKind } from '../domain/contracts/errors.ts';
import { toApplicationFailure } from './temporal.ts';

const ofKind = (kind: ErrorKind) =>
  new TrueupError({ kind, code: 'STRIPE_REJECTED', message: 'why', next: 'what now' });

describe('errors as Temporal takes them', () => {
  test('only what is unavailable is worth another attempt', () => {
    const retried = (['unavailable', 'rejected', 'conflict', 'bug'] as const).filter(
      (kind) => toApplicationFailure(ofKind(kind)).nonRetryable !== true,
    );
    expect(retried).toEqual(['unavailable']);
  });

  test("the failure's type is the error code and its message names the next step", () => {
    expect(toApplicationFailure(ofKind('rejected'))).toMatchObject({
      type: 'STRIPE_REJECTED',
      message: 'why: what now',
    });
  });

  test('an error only our own code can cause is not retried, a lost connection is', () => {
    expect(toApplicationFailure(new TypeError('x')).nonRetryable).toBe(true);
    expect(toApplicationFailure(Object.assign(new Error('x'), { code: '23505' })).nonRetryable).toBe(true);
    expect(toApplicationFailure(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })).nonRetryable).toBe(false);
    expect(toApplicationFailure(Object.assign(new Error('x'), { code: '57P01' })).nonRetryable).toBe(false);
  });

  test('a failure that is one already stays as it is', () => {
    const failure = ApplicationFailure.create({ type: 'X' });
    expect(toApplicationFailure(failure)).toBe(failure);
  });
});
