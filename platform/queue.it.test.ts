// The alarm clock behind a proxy that loses Redis' answers: a wake-up that was handed out and not heard of comes again.

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { startRedisProxy, type RedisProxy } from '../fixtures/torture/redis-proxy.ts';
import { createLog } from './log.ts';
import { startAlarm, type Alarm } from './queue.ts';

const WITHIN_MS = 20_000;
/** BullMQ's steps are scripts, called by their hash. */
const STEP = /evalsha/i;

let proxy: RedisProxy;
let alarm: Alarm;
afterEach(async () => {
  await alarm.close();
  await proxy.close();
});

test('rings on within seconds whichever answers are lost', async () => {
  proxy = await startRedisProxy(process.env['TRUEUP_REDIS_URL'] ?? '');
  let rings = 0;
  const work = async () => {
    rings += 1;
    return Promise.resolve();
  };
  const queue = `test-alarm-${process.pid}-${Date.now()}`;
  alarm = startAlarm({ redisUrl: proxy.url, queue, everyMs: 100, log: createLog('test', 'silent'), work });
  await expect.poll(() => rings, { timeout: WITHIN_MS }).toBeGreaterThan(2);
  for (let round = 0; round < 4; round += 1) {
    const lost = proxy.lost;
    proxy.loseReplies(1 + (round % 3), STEP);
    await expect.poll(() => proxy.lost, { timeout: WITHIN_MS }).toBeGreaterThan(lost);
    const before = rings;
    await expect.poll(() => rings, { timeout: WITHIN_MS }).toBeGreaterThan(before + 2);
    await delay(50);
  }
}, 240_000);
