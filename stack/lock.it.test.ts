import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { fetchOutput } from './commands.ts';

const checkout = dirname(import.meta.dirname);

test('npm ci accepts the committed lock file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trueup-lock-'));
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) cpSync(join(checkout, file), join(folder, file));
  const npm = await fetchOutput('npm', ['ci', '--dry-run', '--offline', '--ignore-scripts', '--loglevel=error'], {
    cwd: folder,
  });
  rmSync(folder, { recursive: true });
  expect(npm.stderr).toBe('');
  expect(npm.code).toBe(0);
});
