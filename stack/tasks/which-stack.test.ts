import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StackState } from '../state.ts';
import { chooseStack, tellData } from './which-stack.ts';

function stack(name: string, dataDir = ''): StackState {
  const kafka = { choice: 'native', addresses: {}, ports: {}, dataDir, logFile: 'kafka.log', restarts: 0 } as const;
  const pids = { supervisorPid: 1, ownerPid: 1 };
  return { name, folder: '', phase: 'up', owned: true, keepData: false, ...pids, env: {}, servers: { kafka } };
}

test('a log without a stack’s name is the only living stack’s, or else the usual one’s', () => {
  expect(chooseStack([stack('demo')], 'kafka', 'dev')).toBe('demo');
  expect(chooseStack([], 'kafka', 'dev')).toBe('dev');
  expect(chooseStack([stack('demo')], 'redis', 'dev')).toBe('dev');
});

test('between several living stacks nobody guesses', () => {
  expect(() => chooseStack([stack('demo'), stack('bench')], 'kafka', 'dev')).toThrow('demo, bench');
});

test('what is said of a stopped stack’s data is what is on disk', () => {
  const data = mkdtempSync(join(tmpdir(), 'which-stack-'));
  const { servers } = stack('demo', join(data, 'kafka'));
  expect(tellData({ keepData: false, servers })).toBe('its data was removed');
  const there = stack('demo', data).servers;
  expect(tellData({ keepData: true, servers: there })).toBe(`its data is kept in ${tmpdir()}`);
  expect(tellData({ keepData: false, servers: there })).toContain('the next start removes its data');
  rmSync(data, { recursive: true });
});
