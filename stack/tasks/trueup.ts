// npm run trueup: the command line. Where the environment names no servers, those of the stack that is up are meant, so that
// `npm run trueup -- status` works beside a demo or a development session.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { formatProblem } from '../errors.ts';
import { nodeArguments } from '../node-arguments.ts';
import { isAlive, readStates } from '../state.ts';
import { findRunning } from '../variables.ts';
import { checkout } from './steps.ts';

function chooseVariables(): Record<string, string> {
  if ((process.env['TRUEUP_POSTGRES_URL'] ?? '') !== '') return {};
  const name = process.env['TRUEUP_STACK_NAME'] ?? '';
  const living = readStates().filter(isAlive);
  const running = findRunning(name === '' ? living : living.filter((state) => state.name === name));
  if (running === undefined) return {};
  console.error(`on the stack "${running.name}"`);
  return running.variables;
}

try {
  const file = join(checkout, 'cli/main.ts');
  const child = spawn(process.execPath, [...nodeArguments, file, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, ...chooseVariables() },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => (process.exitCode = code ?? 1));
} catch (error) {
  console.error(`\n${formatProblem(error)}`);
  process.exitCode = 1;
}
