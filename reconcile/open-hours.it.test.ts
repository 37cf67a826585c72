import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterEach, describe, expect, test } from 'vitest';
import { HOUR_MS } from '../domain/period.ts';
import { eventually } from '../stack/testing/eventually.ts';
import { TASK_QUEUE } from './activity-types.ts';
import { closeId, ensureSchedules, fetchRunningCloses, startClose, wasClosing } from './door.ts';
import { fetchRunSummaries } from './store/revisions.ts';
import { createCloseWorld, type CloseWorld, type WorldAccount } from './testing/close-world.ts';
import type { pushOpenHours } from './workflows.ts';

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

const CLOSES = 'close-ended-period';

/** Hours of the first three days, as the server gives them back. */
const CLOSE_TIMES = {
  minute: [{ start: 20, end: 20, step: 1 }],
  hour: [{ start: 0, end: 23, step: 1 }],
  dayOfMonth: [{ start: 1, end: 3, step: 1 }],
};

describe('schedules', () => {
  test('are there once, however many workers start, and are left alone by those that start later', async () => {
    world = await createCloseWorld([dev]);
    await Promise.all([ensureSchedules(world.client), ensureSchedules(world.client)]);
    await ensureSchedules(world.client);
    for (const id of ['push-open-hours', CLOSES]) {
      const { policies, info } = await world.client.schedule.getHandle(id).describe();
      expect(policies).toMatchObject({ overlap: 'SKIP' });
      // A server forgets what was due before an update, so there must be none without need.
      expect(info.lastUpdatedAt).toBeUndefined();
    }
    const { spec } = await world.client.schedule.getHandle(CLOSES).describe();
    expect(spec.calendars).toMatchObject([CLOSE_TIMES]);
  });

  test('that an earlier release made get the times of this one, and stay paused', async () => {
    world = await createCloseWorld([dev]);
    const handle = await world.client.schedule.create({
      scheduleId: CLOSES,
      spec: { calendars: [{ minute: 20, hour: 0, dayOfMonth: 1 }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP },
      action: { type: 'startWorkflow', workflowType: 'startEndedClose', taskQueue: TASK_QUEUE, args: [] },
      state: { paused: true, note: 'not this month' },
    });
    await ensureSchedules(world.client);
    expect(await handle.describe()).toMatchObject({
      spec: { calendars: [CLOSE_TIMES] },
      policies: { overlap: 'SKIP' },
      action: { workflowType: 'startEndedClose', taskQueue: TASK_QUEUE },
      state: { paused: true, note: 'not this month' },
    });
  });

  test('start the close of a month that has ended, without anybody, and once however often they fire', async () => {
    world = await createCloseWorld([dev]);
    await world.startWorker();
    await world.advance(world.period.endAtMs + HOUR_MS);
    const { key } = world.period;
    const fire = await scheduleCloses();
    expect(await fire()).toBe(key);
    await untilOpened();
    expect([await fire(), await fire()]).toEqual([null, null]);
    expect(await fetchRunningCloses(world.client)).toEqual([key]);
    expect(await startClose(world.client, key)).toBe(false);
  });

  test('leave a close alone that failed, even when Temporal has forgotten it; people may start it again', async () => {
    world = await createCloseWorld([dev]);
    await world.advance(world.period.endAtMs + HOUR_MS);
    const { key } = world.period;
    const handle = world.client.workflow.getHandle(closeId(key));
    // Before any worker ran: nothing is stored of this one.
    await startClose(world.client, key);
    await handle.terminate('as one that failed');
    await world.startWorker();
    const fire = await scheduleCloses();
    expect(await fire()).toBeNull();

    expect(await startClose(world.client, key)).toBe(true);
    await untilOpened();
    await handle.terminate('as one that failed');
    expect(await fire()).toBeNull();
    const { namespace } = world.client.options;
    const workflowExecution = { workflowId: closeId(key) };
    await world.client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution });
    await expect.poll(async () => wasClosing(world.client, key), { timeout: 60_000 }).toBe(false);
    expect(await fire()).toBeNull();
    expect(await wasClosing(world.client, key)).toBe(false);
  }, 120_000);
});

/** Fires the schedule by hand, and only so: tests may run in the first days of a month. Returns what the firing returned. */
async function scheduleCloses(): Promise<() => Promise<unknown>> {
  await ensureSchedules(world.client);
  const schedule = world.client.schedule.getHandle(CLOSES);
  await schedule.pause();
  let fired = 0;
  return async () => {
    await schedule.trigger();
    fired += 1;
    const { workflow } = await eventually(20_000, async () => {
      const { recentActions } = (await schedule.describe()).info;
      return recentActions[fired - 1]?.action;
    });
    return world.client.workflow.getHandle(workflow.workflowId).result();
  };
}

async function untilOpened(): Promise<void> {
  await expect.poll(async () => fetchRunSummaries(world.db, world.period.key), { timeout: 20_000 }).toHaveLength(1);
}
