// Which code made a report: the package's version and, in a checkout, the commit it stands at.

import { readFileSync } from 'node:fs';

/** `0.1.0+1a2b3c4d5e6f`, or `0.1.0` where there is no checkout, as in an image. */
export function readCodeVersion(root = new URL('..', import.meta.url)): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };
  const commit = readCommit(root);
  return commit === undefined ? version : `${version}+${commit.slice(0, 12)}`;
}

function readCommit(root: URL): string | undefined {
  try {
    const head = readText(root, '.git/HEAD');
    const name = /^ref: (.+)$/.exec(head)?.[1];
    if (name === undefined) return head;
    try {
      return readText(root, `.git/${name}`);
    } catch {
      const packed = readText(root, '.git/packed-refs').split('\n');
      return packed.find((line) => line.endsWith(` ${name}`))?.split(' ')[0];
    }
  } catch {
    return undefined;
  }
}

function readText(root: URL, path: string): string {
  return readFileSync(new URL(path, root), 'utf8').trim();
}
