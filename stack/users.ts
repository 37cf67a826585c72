// Whom a server runs as when the stack itself runs as root, and which folders that user can reach.
import { fetchOutput } from './commands.ts';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';

export type User = { uid: number; gid: number };

/** For root: the user `postgres` where it exists, else `nobody`. Undefined for everybody else, who runs servers as themselves. */
export async function unprivilegedUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const { code, stdout } = await fetchOutput('getent', ['passwd', name]);
    const [, , uid, gid] = stdout.trim().split(':');
    if (code === 0 && uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  return { uid: 65_534, gid: 65_534 };
}

/** True when any user may pass through every parent of `folder`. */
export function isReachableByOthers(folder: string): boolean {
  for (let parent = dirname(folder); ; parent = dirname(parent)) {
    const found = statSync(parent, { throwIfNoEntry: false });
    // A parent that doesn't exist yet is made with the usual mode, which lets others through.
    if (found !== undefined && (found.mode & 0o001) === 0) return false;
    if (parent === dirname(parent)) return true;
  }
}
