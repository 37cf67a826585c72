// For integration tests: one process of Trueup with its metrics and health, as production starts it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodeArguments } from '../../stack/node-arguments.ts';
import { eventually } from '../../stack/testing/eventually.ts';

export type ProcessUnderTest = {
  /** Where /metrics, /livez and /readyz are. */
  readonly url: string;
  metrics(): Promise<string>;
  /** A gauge's or counter's value; undefined when there is no such series. */
  value(series: string): Promise<number | undefined>;
  readyz(): Promise<{ status: number; checks: Record<string, string> }>;
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
};

const ROOT = join(import.meta.dirname, '../..');

/** Resolves when it serves its metrics. `file` is below the checkout. */
export async function startProcessUnderTest(
  file: string,
  variables: Readonly<Record<string, string>>,
): Promise<ProcessUnderTest> {
  const child = spawn(process.execPath, [...nodeArguments, join(ROOT, file)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      TRUEUP_OPS_PORT: '0',
      TRUEUP_STRIPE_KEY: 'sk_test_trueup',
      TRUEUP_LOG_LEVEL: 'info',
      ...variables,
    },
  });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
  const url = await eventually(60_000, () => {
    if (child.exitCode !== null) throw new Error(`${file} ended with ${child.exitCode}: ${said.slice(-5).join('\n')}`);
    return said.flatMap((line) => /"url":"([^"]+)","msg":"serving metrics/.exec(line)?.[1] ?? [])[0];
  });
  const metrics = async () => (await fetch(`${url}/metrics`)).text();
  return {
    url,
    metrics,
    value: async (series) => {
      const line = (await metrics()).split('\n').find((one) => one.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
    readyz: async () => {
      const answer = await fetch(`${url}/readyz`);
      const { checks } = (await answer.json()) as { checks: Record<string, string> };
      return { status: answer.status, checks };
    },
    signal: (name) => child.kill(name),
    stop: async () => {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}
