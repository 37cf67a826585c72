import { describe, expect, test } from 'vitest';
import type { Source } from '../secrets.ts';
import { judgeConfiguration } from './configuration.ts';

const LIVE = ['sk', 'live', 'x'].join('_');
const FINE: Source = {
  TRUEUP_STRIPE_KEY: 'sk_test_x',
  TRUEUP_CASE_KEYS: 'k1:0123456789abcdef',
  TRUEUP_WEBHOOK_PORT: '4000',
  TRUEUP_STRIPE_WEBHOOK_SECRETS: 'whsec_x',
};

function judge(changes: Source, problems: readonly string[] = []): Record<string, string> {
  const findings = judgeConfiguration({ ...FINE, ...changes }, { problems, caseKeys: null });
  return Object.fromEntries(findings.map(({ check, verdict }) => [check, verdict]));
}

const verdicts = (findings: Record<string, string>) => new Set(Object.values(findings));

describe('configuration', () => {
  test('a valid one is ok throughout', () => {
    expect(verdicts(judge({}))).toEqual(new Set(['ok']));
    expect(verdicts(judge({ TRUEUP_STRIPE_KEY: LIVE, TRUEUP_MIGRATE: 'no' }))).toEqual(new Set(['ok']));
  });

  test('each problem of the environment is one of the findings', () => {
    const findings = judgeConfiguration(FINE, { problems: ['A is not set', 'B is not set'], caseKeys: null });
    expect(findings.filter(({ verdict }) => verdict === 'problem').map(({ says }) => says)).toEqual([
      'A is not set',
      'B is not set',
    ]);
  });

  test.each(['TRUEUP_HTTP_HOST', 'TRUEUP_OPS_HOST'])('%s open to the world is a warning', (name) => {
    expect(judge({ [name]: '0.0.0.0' })[name]).toBe('warning');
    expect(judge({ [name]: '::' })[name]).toBe('warning');
    expect(judge({ [name]: '10.0.0.7' })[name]).toBe('warning');
    expect(judge({ [name]: '127.0.0.1' })[name]).toBe('ok');
  });

  test('no case keys are a warning in a demo and a problem with real money', () => {
    expect(judge({ TRUEUP_CASE_KEYS: '' })['TRUEUP_CASE_KEYS']).toBe('warning');
    expect(judge({ TRUEUP_CASE_KEYS: '', TRUEUP_STRIPE_KEY: LIVE })['TRUEUP_CASE_KEYS']).toBe('problem');
  });

  test('a port for webhooks needs secrets, and secrets a port', () => {
    expect(judge({ TRUEUP_STRIPE_WEBHOOK_SECRETS: '' })['TRUEUP_WEBHOOK_PORT']).toBe('problem');
    expect(judge({ TRUEUP_WEBHOOK_PORT: '' })['TRUEUP_WEBHOOK_PORT']).toBe('warning');
  });

  test('a live key goes to Stripe and nowhere else', () => {
    const elsewhere = { TRUEUP_STRIPE_KEY: LIVE, TRUEUP_STRIPE_URL: 'http://127.0.0.1:12111' };
    expect(judge(elsewhere)['TRUEUP_STRIPE_KEY']).toBe('problem');
    expect(judge({ TRUEUP_STRIPE_LIVE: 'yes' })['TRUEUP_STRIPE_KEY']).toBe('warning');
  });

  test('processes that migrate by themselves are no matter before real money', () => {
    expect(judge({ TRUEUP_STRIPE_KEY: LIVE })['TRUEUP_MIGRATE']).toBe('warning');
    expect(judge({})['TRUEUP_MIGRATE']).toBe('ok');
  });

  test('no finding shows a value', () => {
    const said = JSON.stringify(
      judgeConfiguration({ ...FINE, TRUEUP_STRIPE_KEY: LIVE }, { problems: [], caseKeys: null }),
    );
    for (const value of Object.values(FINE)) expect(said).not.toContain(value);
    expect(said).not.toContain(LIVE);
  });
});
