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

  test('lists contradictions together with what is missing', () => {
    const attempt = () => parseEnv({ TRUEUP_STRIPE_KEY: 'sk_live_secret', TRUEUP_CLOCK: 'simulated' });
    expect(attempt).toThrow(
      /7 problems:\n(?=[^]*TRUEUP_KAFKA_BROKERS is not set)(?=[^]*TRUEUP_STRIPE_KEY is a live key)(?=[^]*TRUEUP_CLOCK must be wall)/,
    );
    expect(attempt).not.toThrow('sk_live_secret');
  });

  test('a wrong value is answered with the right ones, and the message ends in the next step', () => {
    const wrong = { TRUEUP_CLOCK: 'sundial', TRUEUP_LOG_LEVEL: 'loud', TRUEUP_STRIPE_LIVE: 'y', TRUEUP_HTTP_PORT: 'x' };
    expect(() => parseEnv({ ...complete, ...wrong })).toThrow(
      [
        'the environment has 4 problems:',
        '  TRUEUP_STRIPE_LIVE must be one of: yes, no',
        '  TRUEUP_CLOCK must be one of: simulated, wall',
        '  TRUEUP_HTTP_PORT must be a port: a whole number from 0 to 65535',
        '  TRUEUP_LOG_LEVEL must be one of: debug, info, warn, error, silent',
        'next: see .env.example for every variable, or start through npm run dev, which sets them',
      ].join('\n'),
    );
  });

  test('refuses a live key outside production without repeating it', () => {
    const attempt = () => parseEnv({ ...complete, TRUEUP_STRIPE_KEY: 'sk_live_secret' });
    expect(attempt).toThrow('TRUEUP_STRIPE_LIVE=yes');
    expect(attempt).not.toThrow('sk_live_secret');
  });

  test('refuses a simulated clock together with a live key', () => {
    const live = { ...complete, TRUEUP_STRIPE_KEY: 'sk_live_secret', TRUEUP_STRIPE_LIVE: 'yes' };
    expect(() => parseEnv({ ...live, TRUEUP_CLOCK: 'simulated' })).toThrow('TRUEUP_CLOCK must be wall with a live key');
  });
});
