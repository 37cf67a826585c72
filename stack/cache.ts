// The user's cache folder, where downloaded servers lie.
// Promises: a folder under its final name is complete and verified; two installers at once both end up with the same one.
// When it dies: what is left has a name that starts with a dot, and is swept a day later.
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, rename, rm, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { StackError } from './errors.ts';

const dayMs = 86_400_000;
const neededBytes = 1024 ** 3;

export type Log = (line: string) => void;

/** `$XDG_CACHE_HOME/trueup`, else `~/.cache/trueup`. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'];
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'trueup');
}

/**
 * Returns the folder of an installed thing, building it first when it isn't there. `build` fills an empty temporary folder,
 * which is renamed at the end. `pin` (hashes, versions) is part of the name: another pin is another folder.
 */
export async function installOnce(
  thing: { name: string; version: string; pin: string },
  build: (folder: string) => Promise<void>,
  log: Log,
): Promise<string> {
  const root = cacheFolder();
  const pin = createHash('sha256').update(thing.pin).digest('hex').slice(0, 12);
  const final = join(root, `${thing.name}-${thing.version}-${pin}`);
  if (existsSync(final)) return final;

  await makeFolder(root);
  await sweep(root);
  const temporary = join(root, `.${thing.name}-${process.pid}-${randomBytes(4).toString('hex')}`);
  const startedAtMs = performance.now();
  log(`installing ${thing.name} ${thing.version} …`);
  try {
    await mkdir(temporary);
    await build(temporary);
    await rename(temporary, final).catch((error: unknown) => {
      if (!existsSync(final)) throw error; // somebody else was faster, with the same verified content
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  log(`installing ${thing.name} ${thing.version} … done ${Math.ceil((performance.now() - startedAtMs) / 1000)} s`);
  return final;
}

/** SHA-256 of a file, as lower-case hex. */
export async function fetchSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function makeFolder(root: string): Promise<void> {
  try {
    await mkdir(root, { recursive: true });
    const { bavail, bsize } = await statfs(root);
    if (bavail * bsize >= neededBytes) return;
  } catch (error) {
    throw new StackError({
      what: 'the cache folder can’t be used',
      where: `${root}: ${String(error)}`,
      next: 'set XDG_CACHE_HOME to a folder you may write to',
    });
  }
  throw new StackError({
    what: 'not enough disk for the servers',
    where: root,
    next: 'free 1 GB there, or set XDG_CACHE_HOME to a folder on a larger disk',
  });
}

/** Removes what killed installers left behind; a day is longer than any install takes. */
async function sweep(root: string): Promise<void> {
  const left = readdirSync(root).filter((name) => name.startsWith('.'));
  for (const name of left) {
    const age = statSync(join(root, name), { throwIfNoEntry: false });
    if (age !== undefined && Date.now() - age.mtimeMs > dayMs)
      await rm(join(root, name), { recursive: true, force: true });
  }
}
