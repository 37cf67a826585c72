import { describe, expect, test } from 'vitest';
import { parseEnv } from './env.ts';

const complete = {
  TRUEUP_KAFKA_BROKERS: '127.0.0.1:9092',
  TRUEUP_CLICKHOUSE_URL: 'http://127.0.0.1:8123',
  TRUEUP_POSTGRES_URL: 'postgres://app@127.0.0.1:5432/trueup',
  TRUEUP_REDIS_URL: 'redis://127.0.0.1:6379',
  TRUEUP_TEMPORAL_ADDRESS: '127.0.0.1:7233',
  TRUEUP_STRIPE_KEY: 'sk_test_x',
};

describe('the environment', () => {
  test('is accepted when complete, with defaults filled in', () => {
    expect(parseEnv(complete)).toMatchObject({ TRUEUP_CLICKHOUSE_DATABASE: 'trueup', TRUEUP_CLOCK: 'wall' });
  });

  test('lists every problem at once', () => {
    expect(() => parseEnv({ ...complete, TRUEUP_REDIS_URL: 'localhost', TRUEUP_KAFKA_BROKERS: undefined })).toThrow(
      /2 problems:\n(?=[^]*TRUEUP_KAFKA_BROKERS is not set)(?=[^]*TRUEUP_REDIS_URL must be a URL)/,
    );
  });

  test('refuses a live key outside production without repeating it', () => {
    const attempt = () => parseEnv({ ...complete, TRUEUP_STRIPE_KEY: 'sk_live_secret' });
    expect(attempt).toThrow('TRUEUP_STRIPE_LIVE=yes');
    expect(attempt).not.toThrow('sk_live_secret');
  });

  test('refuses a simulated clock together with a live key', () => {
    const live = { ...complete, TRUEUP_STRIPE_KEY: 'sk_live_secret', TRUEUP_STRIPE_LIVE: 'yes' };
    expect(() => parseEnv({ ...live, TRUEUP_CLOCK: 'simulated' })).toThrow('simulated clock');
  });
});
