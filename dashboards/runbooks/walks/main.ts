// npm run test:runbooks: breaks a real world as each alert foresees, and walks every runbook on it. Exit code 1: something
// was not as it says.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RUNBOOK_NAMES } from '../runbook.ts';
import { walkAll } from './all.ts';
import { formatWalks } from './print.ts';
import { startWorld } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'trueup-runbooks-'));
// Postgres' user must reach its replica's data in there.
chmodSync(folder, 0o755);
const startedAtMs = performance.now();
const say = (line: string) => console.error(`${Math.round((performance.now() - startedAtMs) / 1_000)} s  ${line}`);

say('servers and stages start …');
const { world, stop } = await startWorld('runbooks', join(folder, 'world'));
try {
  const walks = await walkAll(world, say);
  for (const line of formatWalks(walks)) console.log(line);
  const walked = new Set(walks.results.map(({ alert }) => alert));
  const forgotten = RUNBOOK_NAMES.filter((name) => !walked.has(name) && !walks.skipped.has(name));
  for (const name of forgotten) console.log(`${name}: nobody walks it, and nobody says why`);
  process.exitCode = forgotten.length === 0 && walks.results.every(({ problems }) => problems.length === 0) ? 0 : 1;
} finally {
  await stop();
}
if (process.exitCode === 0) rmSync(folder, { recursive: true, force: true });
else say(`the processes' logs are in ${folder}`);
