import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StackState } from './state.ts';
import { findRunning, writeVariables } from './variables.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'trueup-variables-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function stateOf(name: string, at: string): StackState {
  const rest = {
    phase: 'up',
    owned: true,
    keepData: false,
    supervisorPid: 1,
    ownerPid: 1,
    env: {},
    servers: {},
  } as const;
  return { name, folder: at, ...rest };
}

test('the command line talks to the only stack that runs processes', () => {
  writeVariables({ folder }, { TRUEUP_TOPIC: 'usage' });
  const states = [stateOf('servers-only', join(folder, 'none')), stateOf('demo', folder)];
  expect(findRunning(states)).toEqual({ name: 'demo', variables: { TRUEUP_TOPIC: 'usage' } });
  expect(statSync(join(folder, 'variables.json')).mode & 0o077).toBe(0);
});

test('with none it is told nothing, and of two it asks which', () => {
  expect(findRunning([])).toBeUndefined();
  expect(() => findRunning([stateOf('demo', folder), stateOf('dev', folder)])).toThrow(/2 stacks are up: demo, dev/);
});
