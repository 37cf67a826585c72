// The programs that come with Prometheus and Alertmanager and judge their files; found or fetched as the stack does it.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { alertmanager } from '../../stack/servers/alertmanager.ts';
import { prometheus } from '../../stack/servers/prometheus.ts';

const run = promisify(execFile);

export type Verdict = { readonly passed: boolean; readonly said: string };
export type Checker = (...args: readonly string[]) => Promise<Verdict>;

export async function findPromtool(): Promise<Checker> {
  return toChecker((await prometheus.install(console.error))['checker'] ?? 'promtool');
}

export async function findAmtool(): Promise<Checker> {
  return toChecker((await alertmanager.install(console.error))['checker'] ?? 'amtool');
}

function toChecker(program: string): Checker {
  return async (...args) => {
    try {
      const { stdout, stderr } = await run(program, [...args], { maxBuffer: 10_000_000 });
      return { passed: true, said: `${stdout}${stderr}` };
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      return { passed: false, said: `${stdout}${stderr}` };
    }
  };
}
