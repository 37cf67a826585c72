import { describe, expect, test } from 'vitest';
import { createHealth, createStandstillCheck, type Check } from './health.ts';
import { createMetrics } from './metrics.ts';
import { startOps } from './ops.ts';

const never: Check = async () => new Promise(() => undefined);

function healthOf(check: Check) {
  const metrics = createMetrics();
  const health = createHealth({ metrics, everyMs: 60_000, timeoutMs: 20 });
  health.add('rollup', check);
  return { metrics, health };
}

describe('readiness', () => {
  test('is red before anybody looked', () => {
    const { health } = healthOf(async () => Promise.resolve(null));
    expect(health.readiness()).toEqual({ ready: false, checks: { rollup: 'not looked at' } });
  });

  test('is green when every check is well, and the metric says so', async () => {
    const { health, metrics } = healthOf(async () => Promise.resolve(null));
    await health.look();
    expect(health.readiness()).toEqual({ ready: true, checks: { rollup: 'ok' } });
    expect(await metrics.render()).toContain('trueup_process_ready_up{check="rollup"} 1');
  });

  test.each([
    ['says why', async () => Promise.resolve('7 left'), '7 left'],
    ['fails', async () => Promise.reject(new Error('no database')), 'no database'],
    ['does not answer', never, 'no answer within 20 ms'],
  ])('is red with the reason when a check %s', async (_, check, reason) => {
    const { health, metrics } = healthOf(check);
    await health.look();
    expect(health.readiness().ready).toBe(false);
    expect(health.readiness().checks['rollup']).toContain(reason);
    expect(await metrics.render()).toContain('trueup_process_ready_up{check="rollup"} 0');
  });

  test('a standstill is measured between looks and ends with the first move', async () => {
    let progress = { behind: 9n, position: 1n };
    const check = createStandstillCheck({ what: 'records', limitMs: 0, fetch: async () => Promise.resolve(progress) });
    expect(await check()).toMatch(/^records: 9 left, and nothing moved for/);
    progress = { behind: 0n, position: 10n };
    const patient = createStandstillCheck({
      what: 'records',
      limitMs: 1e6,
      fetch: async () => Promise.resolve(progress),
    });
    expect(await patient()).toBeNull();
  });
});

describe('the port', () => {
  test('serves metrics, life and readiness, and says what there is elsewhere', async () => {
    const { health, metrics } = healthOf(async () => Promise.resolve('7 left'));
    await health.look();
    const ops = await startOps({ host: '127.0.0.1', port: 0, metrics, health });
    const get = async (path: string) => {
      const answer = await fetch(`${ops.url}${path}`);
      return { status: answer.status, text: await answer.text() };
    };
    expect((await get('/metrics')).text).toContain('trueup_process_ready_up');
    expect(await get('/livez')).toMatchObject({ status: 200 });
    expect(await get('/readyz')).toEqual({
      status: 503,
      text: '{"state":"not ready","checks":{"rollup":"7 left"}}',
    });
    expect(await get('/')).toMatchObject({ status: 404 });
    await ops.stop();
  });

  test('one that is taken is named with the next step', async () => {
    const { health, metrics } = healthOf(async () => Promise.resolve(null));
    const first = await startOps({ host: '127.0.0.1', port: 0, metrics, health });
    const again = startOps({ host: '127.0.0.1', port: Number(new URL(first.url).port), metrics, health });
    await expect(again).rejects.toMatchObject({ code: 'OPS_PORT_TAKEN', kind: 'rejected' });
    await first.stop();
  });
});
