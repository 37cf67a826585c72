import { readFileSync, readdirSync } from 'node:fs';
import { DefaultLogger, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { fromHistoryJson } from './testing/histories.ts';
import { WORKFLOWS_PATH } from './worker.ts';

// A close lasts for days, so it outlives deployments. These histories were recorded by testing/record-histories.ts and
// go through every branch: claimed and missing drafts, waits, a resend, a failed account, two batches, a second run, an hourly push.
const folder = new URL('./histories/', import.meta.url);
const histories = readdirSync(folder).filter((file) => file.endsWith('.json'));
let workflowBundle: { code: string };

beforeAll(async () => {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger, shutdownSignals: [] });
  workflowBundle = await bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, logger });
}, 60_000);

describe('a close under way goes on under this code', () => {
  test('every branch was recorded', () => {
    expect(histories).toEqual([
      'close-2026-10-batch-0.json',
      'close-2026-10-batch-1.json',
      'close-2026-10-r2-batch-0.json',
      'close-2026-10-r2.json',
      'close-2026-10.json',
      'push-open-hours.json',
    ]);
  });

  test.each(histories)('%s replays', async (file) => {
    const history = fromHistoryJson(readFileSync(new URL(file, folder), 'utf8'));
    await Worker.runReplayHistory({ workflowBundle }, history, file.replace('.json', ''));
  });
});
