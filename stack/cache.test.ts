import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cacheFolder, fetchSha256, installOnce } from './cache.ts';

const silent = (): void => undefined;
let base = '';

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'trueup-cache-'));
  vi.stubEnv('XDG_CACHE_HOME', base);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(base, { recursive: true });
});

test('several installers at once end with one complete folder', async () => {
  const thing = { name: 'thing', version: '1', pin: 'a' };
  const install = async (word: string): Promise<string> =>
    installOnce(thing, async (folder) => writeFile(join(folder, 'content'), word), silent);
  const folders = await Promise.all(['one', 'two', 'three'].map(install));
  expect(new Set(folders).size).toBe(1);
  expect(readdirSync(cacheFolder())).toHaveLength(1);
  expect(readdirSync(folders[0] ?? '')).toEqual(['content']);
});

test('a failed install leaves nothing, and the next one tries again', async () => {
  const thing = { name: 'thing', version: '1', pin: 'a' };
  const fails = installOnce(thing, async () => Promise.reject(new Error('no network')), silent);
  await expect(fails).rejects.toThrow('no network');
  expect(readdirSync(cacheFolder())).toEqual([]);
  const folder = await installOnce(thing, async (folder) => writeFile(join(folder, 'content'), 'x'), silent);
  expect(existsSync(join(folder, 'content'))).toBe(true);
});

test('another pin is another folder', async () => {
  const build = async (folder: string): Promise<void> => writeFile(join(folder, 'content'), 'x');
  const first = await installOnce({ name: 'thing', version: '1', pin: 'a' }, build, silent);
  const second = await installOnce({ name: 'thing', version: '1', pin: 'b' }, build, silent);
  expect(second).not.toBe(first);
});

test('SHA-256 is that of the file’s bytes', async () => {
  await writeFile(join(base, 'abc'), 'abc');
  expect(await fetchSha256(join(base, 'abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
