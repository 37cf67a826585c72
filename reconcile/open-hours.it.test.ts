import { afterEach, describe, expect, test } from 'vitest';
import { HOUR_MS } from '../domain/period.ts';
import { TASK_QUEUE } from './activity-types.ts';
import { ensureSchedules, fetchRunningCloses, startClose } from './door.ts';
import { createCloseWorld, type CloseWorld, type WorldAccount } from './testing/close-world.ts';
import type { pushOpenHours, startEndedClose } from './workflows.ts';

let world: CloseWorld;
afterEach(async () => world.end());

const dev: WorldAccount = { name: 'dev', plan: 'developer', usage: { actions: 24_000_000n }, hours: 24 };

let runs = 0;
/** Hours that one hourly push sent. */
async function push(): Promise<number> {
  runs += 1;
  return world.client.workflow.execute<typeof pushOpenHours>('pushOpenHours', {
    workflowId: `push-${runs}`,
    taskQueue: TASK_QUEUE,
  });
}

async function summary(): Promise<bigint> {
  const ref = { account: world.id('dev'), customer: await world.customer('dev') };
  return world.billing.fetchSummary(ref, 'actions', world.period);
}

describe('usage of a period that runs', () => {
  test('is sent for ended hours only, once, and again where an hour changed', async () => {
    world = await createCloseWorld([dev]);
    await world.startWorker();
    await world.advance(world.period.startAtMs + 10 * HOUR_MS + 60_000);
    expect(await push()).toBe(10);
    expect(await push()).toBe(0);
    expect(await summary()).toBe(10_000_000n);

    const [first] = world.usage.hours;
    if (first === undefined) throw new Error('the world has no usage');
    world.usage.hours[0] = { ...first, quantity: first.quantity + 5n };
    await world.advance(world.period.startAtMs + 11 * HOUR_MS);
    expect(await push()).toBe(2);
    expect(await summary()).toBe(11_000_005n);
  });

  test('is not touched any more once the close has taken its barrier', async () => {
    world = await createCloseWorld([dev]);
    await world.startWorker();
    await world.advance(world.period.endAtMs + HOUR_MS);
    world.usage.barrier = [8n, 16n];
    expect(await push()).toBe(0);
    expect(await summary()).toBe(0n);
  });

  test('is not sent while lost usage is read again from the log, when hours look smaller than they are', async () => {
    world = await createCloseWorld([dev]);
    await world.startWorker();
    await world.advance(world.period.startAtMs + 24 * HOUR_MS);
    expect(await push()).toBe(24);
    const hours = world.usage.hours.splice(0, 12);
    world.usage.restoring = true;
    expect(await push()).toBe(0);
    world.usage.hours.push(...hours);
    world.usage.restoring = false;
    expect(await push()).toBe(0);
    expect(await summary()).toBe(24_000_000n);
  });

  test('is sent by one writer at a time, whoever pushes', async () => {
    world = await createCloseWorld([dev]);
    await world.startWorker();
    await world.advance(world.period.startAtMs + 24 * HOUR_MS);
    const sent = await Promise.all([push(), push(), push()]);
    expect(sent.toSorted((a, b) => a - b)).toEqual([0, 0, 24]);
    expect(await summary()).toBe(24_000_000n);
  });
});

describe('schedules', () => {
  test('are there once, however many workers start', async () => {
    world = await createCloseWorld([dev]);
    await Promise.all([ensureSchedules(world.client), ensureSchedules(world.client)]);
    for (const id of ['push-open-hours', 'close-ended-period']) {
      expect(await world.client.schedule.getHandle(id).describe()).toMatchObject({ policies: { overlap: 'SKIP' } });
    }
  });

  test('the close of a month that has ended is started without anybody, and once', async () => {
    world = await createCloseWorld([dev]);
    await world.startWorker();
    await world.advance(world.period.endAtMs + HOUR_MS);
    const { key } = world.period;
    const start = async (workflowId: string) =>
      world.client.workflow.execute<typeof startEndedClose>('startEndedClose', { workflowId, taskQueue: TASK_QUEUE });
    expect(await start('scheduled-1')).toBe(key);
    expect(await fetchRunningCloses(world.client)).toEqual([key]);
    expect(await start('scheduled-2')).toBe(key);
    expect(await startClose(world.client, key)).toBe(false);
  });
});
