import { describe, expect, test } from 'vitest';
import { createRedaction, placeOf } from './secrets.ts';

describe('secrets', () => {
  test('no secret of the environment is shown, whoever says it', () => {
    const redact = createRedaction({
      TRUEUP_POSTGRES_URL: 'postgres://app:p%40ssw0rd@db:5432/trueup',
      TRUEUP_STRIPE_KEY: 'sk_test_abcdef',
      TRUEUP_CASE_KEYS: 'k2:0123456789abcdef,k1:fedcba9876543210',
      TRUEUP_STRIPE_WEBHOOK_SECRETS: 'whsec_one111,whsec_two222',
    });
    const said = redact(
      'p%40ssw0rd p@ssw0rd sk_test_abcdef 0123456789abcdef fedcba9876543210 whsec_one111 whsec_two222 db:5432',
    );
    expect(said).toBe(`${'*** '.repeat(7)}db:5432`);
  });

  test('a place is a URL without who connects', () => {
    expect(placeOf('postgres://app:secret@db:5432/trueup')).toBe('db:5432/trueup');
    expect(placeOf('http://default:secret@ch:8123')).toBe('ch:8123');
  });
});
