// PostgreSQL: accounts, the business clock, periods, evidence.
// Promises: never runs as root; TCP on loopback only, no socket files; the database of its URL exists once it is ready.
// When it dies: fsync is off, since kill -9 loses nothing that the kernel has; only a crash of the machine could, and then the stack is made anew.
import { chmod, chown, readdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { findProgram, runStep } from '../commands.ts';
import { installDebianPackage } from '../debian.ts';
import { unprivilegedUser, type User } from '../users.ts';
import { must, type Server } from './server.ts';

const database = 'trueup';
const debianFolder = '/usr/lib/postgresql';
const settings = {
  fsync: 'off',
  // In the data folder, which is removed with the stack: what lies in /dev/shm outlives a kill -9.
  dynamic_shared_memory_type: 'mmap',
  full_page_writes: 'off',
  unix_socket_directories: '',
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

export const postgres: Server = {
  name: 'postgres',
  variables: ['TRUEUP_POSTGRES_URL'],
  ports: ['postgres'],
  composeService: 'postgres',
  readyWithinMs: 60_000,

  async install(log) {
    const onMachine = findProgram('initdb', await debianFolders());
    // initdb and postgres must be of one version: take the second from where the first lies.
    if (onMachine !== undefined) return { initdb: onMachine, program: join(dirname(onMachine), 'postgres') };
    const installed = await installDebianPackage('postgres', 'usr/lib/postgresql/*/bin/postgres', log);
    return { ...installed, initdb: join(dirname(must(installed, 'program')), 'initdb') };
  },

  async start({ dataDir, ports, installed }) {
    const user = await unprivilegedUser();
    const env = installed['libraries'] === undefined ? {} : { LD_LIBRARY_PATH: installed['libraries'] };
    if (!existsSync(join(dataDir, 'PG_VERSION'))) {
      if (user !== undefined) await chown(dataDir, user.uid, user.gid);
      await chmod(dataDir, 0o700);
      const choice = ['-U', 'app', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions'];
      const [command, ...args] = as(user, [must(installed, 'initdb'), '-D', dataDir, ...choice]);
      await runStep([command, ...args], {
        what: 'creating the Postgres data folder',
        missing: 'install util-linux (it has setpriv), or run as another user than root',
        cwd: '/',
        env,
      });
      await writeFile(join(dataDir, 'postgresql.conf'), formatSettings(), { flag: 'a' });
    }
    const listen = ['-h', '127.0.0.1', '-p', String(must(ports, 'postgres'))];
    const [command, ...args] = as(user, [must(installed, 'program'), '-D', dataDir, ...listen]);
    return { command, args, cwd: '/', env };
  },

  addresses: (ports) => ({ TRUEUP_POSTGRES_URL: `postgres://app@127.0.0.1:${must(ports, 'postgres')}/${database}` }),

  async ready(addresses) {
    const url = new URL(must(addresses, 'TRUEUP_POSTGRES_URL'));
    const name = url.pathname.slice(1);
    try {
      await query(url, 'SELECT 1');
    } catch (error) {
      if (!isUnknownDatabase(error)) throw error;
      const maintenance = new URL(url);
      maintenance.pathname = '/postgres';
      await query(maintenance, `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
    }
  },
};

/** The command as an unprivileged user; setpriv executes it in its own place, so the pid stays. */
function as(user: User | undefined, [command, ...args]: [string, ...string[]]): [string, ...string[]] {
  if (user === undefined) return [command, ...args];
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  // The parent-death signal is cleared when the user changes, so it is set again afterwards.
  return ['setpriv', ...identity, 'setpriv', '--pdeathsig', 'KILL', command, ...args];
}

async function debianFolders(): Promise<string[]> {
  if (!existsSync(debianFolder)) return [];
  const newestFirst = (await readdir(debianFolder)).sort((a, b) => Number(b) - Number(a));
  return newestFirst.map((version) => join(debianFolder, version, 'bin'));
}

function formatSettings(): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'`);
  return `\n${lines.join('\n')}\n`;
}

function isUnknownDatabase(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '3D000';
}

async function query(url: URL, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 3_000, query_timeout: 10_000 });
  client.on('error', () => undefined); // the server may go away between the answer and the goodbye
  try {
    await client.connect();
    await client.query(text);
  } finally {
    await client.end().catch(() => undefined);
  }
}
