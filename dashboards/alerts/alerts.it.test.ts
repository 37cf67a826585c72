// Rules as promtool judges them. Cases stand in ../testing/, one table for each file of alerts.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runPromtool } from '../../stack/promtool.ts';
import { createPace } from '../pace.ts';
import { renderRules } from '../prometheus/rules.ts';
import { createPromtoolFiles } from '../testing/alert-cases.ts';
import { ALERT_CASES } from '../testing/cases.ts';
import { RULES_FILE } from '../write-rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'trueup-alerts-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('promtool accepts the rules, at any pace', async () => {
  const fast = join(folder, 'fast.yaml');
  writeFileSync(fast, renderRules({ pace: createPace(240) }));
  const { code, stdout, stderr } = await runPromtool([
    'check',
    'rules',
    '--lint=all',
    '--lint-fatal',
    RULES_FILE,
    fast,
  ]);
  expect(`${stdout}${stderr}`).not.toMatch(/FAILED|duplicate/i);
  expect(code, stderr).toBe(0);
});

describe('alerts fire when they must, within the time they promise, and only then', () => {
  test.each(createPromtoolFiles(ALERT_CASES))('$name', async ({ name, rules, tests }) => {
    writeFileSync(join(folder, `${name}.rules.yaml`), rules);
    writeFileSync(join(folder, `${name}.yaml`), tests);
    const { code, stdout, stderr } = await runPromtool(['test', 'rules', join(folder, `${name}.yaml`)]);
    expect(code, `${stdout}${stderr}`).toBe(0);
  });
});
