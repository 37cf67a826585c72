// npm run stack -- up | status | down | logs <server>
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { formatProblem, StackError } from '../errors.ts';
import { withParentDeathSignal } from '../leash.ts';
import { isServerName, serverNames, servers } from '../servers/table.ts';
import type { ServerName } from '../servers/server.ts';
import { startStack } from '../stack.ts';
import { isAlive, readState, readStates, stackFolder, type StackState } from '../state.ts';

const usage = `npm run stack -- up [--name NAME] [server …]   start servers (all by default) and leave them running
npm run stack -- status                        what runs, and where
npm run stack -- down [NAME]                   stop a stack; its data stays
npm run stack -- logs SERVER [NAME] [-f]       the end of a server's log; -f follows it
servers: ${serverNames.join(' ')}`;

const defaultName = 'dev';
const stopWithinMs = 30_000;

async function up(words: readonly string[], name: string): Promise<void> {
  const unknown = words.filter((word) => !isServerName(word));
  if (unknown.length > 0) {
    throw new StackError({
      what: `no such server: ${unknown.join(' ')}`,
      where: 'up',
      next: `choose from: ${serverNames.join(' ')}`,
    });
  }
  const wanted: ServerName[] = words.length === 0 ? serverNames : words.filter(isServerName);
  const stack = await startStack({ name, servers: wanted, keepData: true, owned: false });
  console.log(`\n${formatEnv(stack.env)}\n\nStack "${name}" is up. Stop it with: npm run stack -- down ${name}`);
}

/** Lines that a shell and a .env file both understand. */
function formatEnv(env: Record<string, string>): string {
  return Object.entries(env)
    .map(([variable, value]) => `${variable}=${value}`)
    .join('\n');
}

async function status(): Promise<void> {
  const states = readStates().filter((state) => state.phase !== 'down');
  if (states.length === 0) console.log('No stack is up. Start one with: npm run stack -- up');
  for (const state of states) {
    console.log(
      `${state.name}  ${isAlive(state) ? state.phase : 'died'}  supervisor ${state.supervisorPid}  ${state.folder}`,
    );
    if (isAlive(state)) for (const name of serverNames) await printServer(state, name);
  }
}

async function printServer(state: StackState, name: ServerName): Promise<void> {
  const server = state.servers[name];
  if (server === undefined) return;
  const answer = await servers[name].ready(server.addresses).then(
    () => 'answers',
    () => 'does not answer',
  );
  const who = server.pid === undefined ? '' : `pid ${server.pid}, ${server.restarts} restarts`;
  console.log(
    `  ${name.padEnd(13)} ${server.choice.padEnd(8)} ${answer.padEnd(16)} ${Object.values(server.addresses)[0] ?? ''}  ${who}`,
  );
}

async function down(name: string): Promise<void> {
  const state = readState(stackFolder(name));
  if (state === undefined || !isAlive(state)) {
    console.log(`Stack "${name}" is not up.`);
    return;
  }
  process.kill(state.supervisorPid, 'SIGTERM');
  const deadlineMs = performance.now() + stopWithinMs;
  while (isAlive(state)) {
    if (performance.now() > deadlineMs) process.kill(state.supervisorPid, 'SIGKILL'); // its servers go with it
    await pause(100);
  }
  console.log(`Stack "${name}" is down; its data is in ${state.folder}.`);
}

async function logs(server: string | undefined, name: string, follow: boolean): Promise<void> {
  const file = server === undefined ? undefined : readState(stackFolder(name))?.servers[server as ServerName]?.logFile;
  if (file === undefined || !existsSync(file)) {
    throw new StackError({
      what: server === undefined ? 'whose log?' : `stack "${name}" has no log of "${server}"`,
      where: stackFolder(name),
      next: 'npm run stack -- status shows stacks and servers',
    });
  }
  const { command, args } = withParentDeathSignal({
    command: 'tail',
    args: ['-n', '100', ...(follow ? ['-F'] : []), file],
  });
  const tail = spawn(command, args, { stdio: 'inherit' });
  await new Promise((resolve) => tail.once('exit', resolve));
}

try {
  const options = { name: { type: 'string' }, follow: { type: 'boolean', short: 'f' } } as const;
  const { positionals, values } = parseArgs({ allowPositionals: true, options });
  const [command, ...words] = positionals;
  if (command === 'up') await up(words, values.name ?? defaultName);
  else if (command === 'status') await status();
  else if (command === 'down') await down(words[0] ?? values.name ?? defaultName);
  else if (command === 'logs') await logs(words[0], words[1] ?? values.name ?? defaultName, values.follow ?? false);
  else {
    console.error(usage);
    process.exitCode = 2;
  }
} catch (error) {
  console.error(`\n${formatProblem(error)}`);
  process.exitCode = 1;
}
