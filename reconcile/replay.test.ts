import { readFileSync, readdirSync } from 'node:fs';
import { DefaultLogger, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { workflowTracingModule } from '../platform/tracing-temporal.ts';
import { fromHistoryJson } from './testing/histories.ts';
import { WORKFLOWS_PATH } from './worker.ts';

// A close lasts for days, so it outlives deployments. These histories were recorded by testing/record-histories.ts and
// go through every branch: claimed and missing drafts, waits, a resend, a failed account, two batches, a second run, an hourly push.
const folder = new URL('./histories/', import.meta.url);
const histories = readdirSync(folder).filter((file) => file.endsWith('.json'));
const logger = new DefaultLogger('ERROR');
const NOWHERE = { exporter: { export: { fn: () => undefined } } };
const bundles = new Map<string, { code: string }>();

beforeAll(async () => {
  Runtime.install({ logger, shutdownSignals: [] });
  const bundle = async (workflowInterceptorModules: string[]) =>
    bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, workflowInterceptorModules, logger });
  bundles.set('off', await bundle([]));
  bundles.set('on', await bundle([workflowTracingModule()]));
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

  describe.each(['off', 'on'])('with tracing %s', (tracing) => {
    test.each(histories)('%s replays', async (file) => {
      const workflowBundle = bundles.get(tracing);
      if (workflowBundle === undefined) throw new Error('the workflows were not bundled');
      const history = fromHistoryJson(readFileSync(new URL(file, folder), 'utf8'));
      await Worker.runReplayHistory({ workflowBundle, sinks: NOWHERE }, history, file.replace('.json', ''));
    });
  });
});
