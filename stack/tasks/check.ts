// npm run check: format, lint, types, unused code, unit tests. Runs them all, shows what the red ones said, and fails if one is red.
// --static leaves out the unit tests, for who has just run them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkout, runTool } from './steps.ts';

const steps: readonly (readonly [string, ...string[]])[] = [
  ['prettier', '--check', '--log-level', 'warn', '.'],
  ['oxlint', '--type-aware', '--deny-warnings'],
  ['tsc', '--noEmit'],
  ...(existsSync(join(checkout, 'knip.json')) ? [['knip'] as const] : []),
  ...(process.argv.includes('--static') ? [] : [['vitest', 'run', '--project', 'unit', '--reporter', 'dot'] as const]),
];

const red: string[] = [];
for (const step of steps) {
  const name = step.slice(0, step[0] === 'vitest' ? 4 : 2).join(' ');
  const { code, output, seconds } = await runTool(step, false);
  console.log(`${code === 0 ? 'ok ' : 'RED'}  ${name.padEnd(28)} ${seconds.padStart(5)} s`);
  if (code !== 0) {
    red.push(name);
    console.log(output.trimEnd());
  }
}
console.log(red.length === 0 ? 'check: all green' : `check: red: ${red.join(', ')}`);
process.exitCode = red.length === 0 ? 0 : 1;
