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
import { chooseStack, tellData } from './which-stack.ts';

const usage = `npm run stack -- up [--name NAME] [server …]   start servers (all by default) and leave them running
npm run stack -- status                        what runs, and where
npm run stack -- down [NAME]                   stop a stack; what "up" or dev started keeps its data
npm run stack -- logs SERVER [NAME] [-f]       the end of a server's log; -f follows it
servers: ${serverNames.join(' ')}`;

const defaultName = 'dev';
const stopWithinMs = 30_000;

async function up(words: readonly string[], name: string): Promise<void> {
  const unknown = words.filter((word) => !isServerName(word));
  if (unknown.length > 0) {
    throw new StackError({
      what: `no such server: ${unknown.join(' ')}`,
      where: `npm run stack -- up ${words.join(' ')}`,
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
  console.log(`Stack "${name}" is down; ${tellData(readState(state.folder) ?? state)}.`);
}

async function logs(server: string | undefined, named: string | undefined, follow: boolean): Promise<void> {
  if (server === undefined || !isServerName(server)) {
    throw new StackError({
      what: server === undefined ? 'whose log?' : `no such server: ${server}`,
      where: `npm run stack -- logs ${server ?? ''}`.trimEnd(),
      next: `choose from: ${serverNames.join(' ')}`,
    });
  }
  const name = named ?? chooseStack(readStates().filter(isAlive), server, defaultName);
  const file = readState(stackFolder(name))?.servers[server]?.logFile;
  if (file === undefined || !existsSync(file)) {
    throw new StackError({
      what: `stack "${name}" has no log of ${server}`,
      where: stackFolder(name),
      next: 'npm run stack -- status shows stacks and servers',
    });
  }
  console.error(`${server} of stack "${name}": ${file}`);
  const { command, args } = withParentDeathSignal({
    command: 'tail',
    args: ['-n', '100', ...(follow ? ['-F'] : []), file],
  });
  const tail = spawn(command, args, { stdio: 'inherit' });
  await new Promise((resolve) => tail.once('exit', resolve));
}

/** Undefined for options that this program doesn't have. */
function parseWords() {
  const options = {
    name: { type: 'string' },
    follow: { type: 'boolean', short: 'f' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch {
    return undefined;
  }
}

try {
  const parsed = parseWords();
  const values = parsed?.values ?? {};
  const [command, ...words] = parsed?.positionals ?? [];
  if (values.help === true) console.log(usage);
  else if (command === 'up') await up(words, values.name ?? defaultName);
  else if (command === 'status') await status();
  else if (command === 'down') await down(words[0] ?? values.name ?? defaultName);
  else if (command === 'logs') await logs(words[0], words[1] ?? values.name, values.follow ?? false);
  else {
    if (parsed === undefined) console.error(`unknown or incomplete option in: ${process.argv.slice(2).join(' ')}\n`);
    else if (command !== undefined) console.error(`there is no command "${command}"\n`);
    console.error(usage);
    process.exitCode = 2;
  }
} catch (error) {
  console.error(`\n${formatProblem(error)}`);
  process.exitCode = 1;
}
