// Every runbook is walked on a really broken system: the alert fires in time, the commands answer as the runbook says, the
// fix ends it. npm run test:runbooks is the same with its figures.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RUNBOOK_NAMES } from './runbook.ts';
import { NOT_WALKED, walkAll, type Walks } from './walks/all.ts';
import { formatWalks } from './walks/print.ts';
import { startWorld } from './walks/world.ts';

let folder: string;
let stop: (() => Promise<void>) | undefined;
let walks: Walks;

describe('runbooks on a broken system', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trueup-runbooks-'));
    chmodSync(folder, 0o755);
    const started = await startWorld(`runbooks-e2e-${process.pid}`, join(folder, 'world'));
    stop = started.stop;
    walks = await walkAll(started.world, () => undefined);
    console.log(formatWalks(walks).join('\n'));
  });

  afterAll(async () => {
    await stop?.();
    rmSync(folder, { recursive: true, force: true });
  });

  test('every alert fires within its promise, its runbook tells the truth, and its fix ends it', () => {
    expect(walks.results.flatMap(({ alert, problems }) => problems.map((problem) => `${alert}: ${problem}`))).toEqual(
      [],
    );
  });

  test('every alert is walked, but for the few that say why not', () => {
    const walked = walks.results.map(({ alert }) => alert);
    expect([...walked, ...walks.skipped.keys()].sort()).toEqual([...RUNBOOK_NAMES].sort());
    expect(Object.keys(NOT_WALKED).length).toBeLessThanOrEqual(4);
  });
});
