// For integration tests: the door as the process it is in production, on the servers and the topics of a bench.

import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { eventually } from '../../../stack/testing/eventually.ts';
import type { DoorBench } from './bench.ts';

export const CHECKOUT = join(import.meta.dirname, '../../..');

export type DoorProcess = {
  readonly child: ChildProcess;
  readonly url: string;
  /** What it logged so far. */
  readonly log: () => string;
};

export function environmentOf({ ingest, manifestTopic }: DoorBench): NodeJS.ProcessEnv {
  return {
    ...process.env,
    TRUEUP_POSTGRES_URL: ingest.databases.postgresUrl,
    TRUEUP_TOPIC: ingest.topic,
    TRUEUP_MANIFEST_TOPIC: manifestTopic,
    TRUEUP_HTTP_PORT: '0',
    TRUEUP_LOG_LEVEL: 'info',
  };
}

/** Resolves when it listens. Killing `child` is up to the caller, which gets hold of it in time to do so. */
export async function startDoorProcess(
  bench: DoorBench,
  keep: (child: ChildProcess) => void,
  changes: Readonly<Record<string, string>> = {},
): Promise<DoorProcess> {
  const env = { ...environmentOf(bench), ...changes };
  const child = spawn(process.execPath, ['ingest/http/main.ts'], { cwd: CHECKOUT, env });
  keep(child);
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const url = await eventually(30_000, () => /"url":"([^"]+)","topic"/.exec(log)?.[1]);
  return { child, url, log: () => log };
}
