// A streaming replica of the world's Postgres, made as an operator would make one. It ends with this process.

import { once } from 'node:events';
import { chownSync, chmodSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { sql } from 'kysely';
import { createPostgres } from '../../../platform/postgres.ts';
import { findProgram, runStep } from '../../../stack/commands.ts';
import { createLeash } from '../../../stack/leash.ts';
import { reservePort } from '../../../stack/ports.ts';
import { postgres } from '../../../stack/servers/postgres.ts';
import { unprivilegedUser } from '../../../stack/users.ts';
import { untilSeen } from './soon.ts';

export type Replica = {
  /** It receives and does not replay, until it is told to go on. */
  pauseReplay(): Promise<void>;
  resumeReplay(): Promise<void>;
  start(): Promise<void>;
  kill(): Promise<void>;
  end(): Promise<void>;
};

const READY_MS = 30_000;

/** `folder` is made; every user must be able to reach it, because Postgres never runs as root. */
export async function startReplica(primaryUrl: string, folder: string): Promise<Replica> {
  const programs = dirname((await postgres.install(() => undefined))['program'] ?? '');
  const user = await unprivilegedUser();
  const asOwner = (command: string, args: readonly string[]): [string, ...string[]] =>
    user === undefined
      ? [command, ...args]
      : ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', command, ...args];
  mkdirSync(folder);
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  chmodSync(folder, 0o700);
  const { hostname, port: primaryPort } = new URL(primaryUrl);
  const copy = ['-D', folder, '-h', hostname, '-p', primaryPort, '-U', 'app', '-R', '-X', 'stream', '-c', 'fast'];
  // It may be of another version than the server and need not lie beside it.
  const copier = findProgram('pg_basebackup', [programs]) ?? 'pg_basebackup';
  await runStep(asOwner(copier, copy), {
    what: 'copying the database for a replica',
    missing: 'install the Postgres client programs',
    cwd: '/',
  });
  const { port, release } = await reservePort();
  await release();
  const leash = createLeash();
  let child: ChildProcess | undefined;
  const ask = async (statement: string) => {
    const db = createPostgres(`postgres://app@${hostname}:${port}/postgres`, 1);
    try {
      await sql.raw(statement).execute(db);
      return true;
    } finally {
      await db.destroy();
    }
  };
  const start = async () => {
    const listen = ['-D', folder, '-h', hostname, '-p', `${port}`];
    const [command, ...args] = asOwner(join(programs, 'postgres'), listen);
    child = leash.start({ command, args, cwd: '/' }, 'pipe');
    child.stdout?.resume();
    child.stderr?.resume();
    await untilSeen('the replica to answer', READY_MS, async () => ask('SELECT 1'));
  };
  const kill = async () => {
    if (child === undefined) return;
    const ended = once(child, 'exit');
    // SIGQUIT ends all of its processes at once, without a goodbye to anybody.
    child.kill('SIGQUIT');
    await ended;
    child = undefined;
  };
  await start();
  return {
    pauseReplay: async () => void (await ask('SELECT pg_wal_replay_pause()')),
    resumeReplay: async () => void (await ask('SELECT pg_wal_replay_resume()')),
    start,
    kill,
    end: async () => {
      await kill();
      leash.release();
    },
  };
}
