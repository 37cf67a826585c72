// Rules as promtool judges them. Cases stand in ../testing/, one table for each file of alerts.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createPace } from '../pace.ts';
import { renderRules } from '../prometheus/rules.ts';
import { createPromtoolFiles } from '../testing/alert-cases.ts';
import { ALERT_CASES } from '../testing/cases.ts';
import { findPromtool } from '../testing/checkers.ts';
import { RULES_FILE } from '../write-rules.ts';

const promtool = await findPromtool();
const folder = mkdtempSync(join(tmpdir(), 'trueup-alerts-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('promtool accepts the rules, at any pace', async () => {
  const fast = join(folder, 'fast.yaml');
  writeFileSync(fast, renderRules({ pace: createPace(240) }));
  const { passed, said } = await promtool('check', 'rules', '--lint=all', '--lint-fatal', RULES_FILE, fast);
  expect(said).not.toMatch(/FAILED|duplicate/i);
  expect(passed, said).toBe(true);
});

describe.concurrent('alerts fire when they must, within the time they promise, and only then', () => {
  test.each(createPromtoolFiles(ALERT_CASES))('$name', async ({ name, rules, tests }) => {
    writeFileSync(join(folder, `${name}.rules.yaml`), rules);
    writeFileSync(join(folder, `${name}.yaml`), tests);
    const { passed, said } = await promtool('test', 'rules', join(folder, `${name}.yaml`));
    expect(passed, said).toBe(true);
  });
});
