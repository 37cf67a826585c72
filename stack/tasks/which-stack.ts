// Which stack a command means when it names none, and what became of a stack's data. Both look only at what is written
// down and on disk.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { StackError } from '../errors.ts';
import type { ServerName } from '../servers/server.ts';
import type { StackState } from '../state.ts';

/** The only living stack that runs that server itself; with none alive `otherwise`, whose last log may still be there. */
export function chooseStack(living: readonly StackState[], server: ServerName, otherwise: string): string {
  const names = living.filter(({ servers }) => (servers[server]?.logFile ?? '') !== '').map(({ name }) => name);
  const [only = otherwise, ...others] = names;
  if (others.length === 0) return only;
  throw new StackError({
    what: `${names.length} stacks run ${server}: ${names.join(', ')}`,
    where: `npm run stack -- logs ${server}`,
    next: `name one of them: npm run stack -- logs ${server} ${only}`,
  });
}

/** The end of the sentence that says a stack is down. */
export function tellData({ keepData, servers }: Pick<StackState, 'keepData' | 'servers'>): string {
  const folders = Object.values(servers).flatMap(({ dataDir }) => (dataDir === '' ? [] : [dataDir]));
  const left = [...new Set(folders.filter((folder) => existsSync(folder)).map((folder) => dirname(folder)))];
  const containers = Object.values(servers).some(({ choice }) => choice === 'docker');
  const inVolumes = containers
    ? [keepData ? 'its containers’ volumes are kept' : 'its containers’ volumes are gone']
    : [];
  if (left.length === 0 && folders.length === 0) return inVolumes.join('; ') || 'it had no data of its own';
  if (left.length === 0) return ['its data was removed', ...inVolumes].join('; ');
  const where = left.join(' and ');
  const rest = keepData ? `its data is kept in ${where}` : `the next start removes its data, still in ${where}`;
  return [rest, ...inVolumes].join('; ');
}
