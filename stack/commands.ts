// Runs other programs to their end: installers and look-ups, not servers.
// Promises: no shell is involved, and a missing program or a failed run becomes a StackError that names the next step.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { StackError } from './errors.ts';

export type RunResult = { code: number; stdout: string; stderr: string };

/** Runs a program and returns what it said; a program that isn't there has code 127. */
export async function fetchOutput(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; input?: string } = {},
): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.on('error', () => undefined); // a program may end before it read its input
    child.stdin.end(options.input ?? '');
    child.on('error', (error) => resolve({ code: 127, stdout, stderr: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 128, stdout, stderr }));
  });
}

/** Runs a step of an installation; `missing` says what to install when the program itself isn't there. */
export async function runStep(
  [command, ...args]: readonly [string, ...string[]],
  step: { what: string; missing: string; cwd?: string; env?: Record<string, string> },
): Promise<string> {
  const result = await fetchOutput(command, args, step);
  if (result.code === 0) return result.stdout;
  if (result.code === 127) {
    throw new StackError({ what: `${step.what}: ${command} is missing`, where: 'PATH', next: step.missing });
  }
  throw new StackError({
    what: `${step.what}: ${command} ended with code ${result.code}`,
    where: tellingLines(`${result.stdout}\n${result.stderr}`),
    next: nextStepFor(`${result.stderr}\n${result.stdout}`),
  });
}

/** What to do about a failed download, by the words that installers use for the usual causes. */
export function nextStepFor(output: string): string {
  if (/no space left|ENOSPC/i.test(output))
    return 'free at least 2 GB in the cache folder and run the same command again';
  if (
    /name or service not known|temporary failure|could not resolve|unknown host|unreachable|timed out|refused|transfer failed|from versions: none/i.test(
      output,
    )
  ) {
    return 'check the network or the proxy settings of that program, then run the same command again';
  }
  if (/No module named pip/.test(output)) return 'install pip (Debian: apt-get install python3-pip)';
  if (/hash|checksum/i.test(output)) {
    return 'the download is not what stack/versions.lock.json pins: empty the cache folder and try again; if it stays so, do not use it';
  }
  if (/permission denied|EACCES|are you root/i.test(output))
    return 'give yourself write access to that folder, or run as root';
  return 'read the words above, then run the same command again';
}

/** The program's path, looked up in PATH and then in `folders`; undefined when it is nowhere. */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), ...folders];
  return places.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The lines that programs mark as errors, else the last ones; without colours, cut to a readable length. */
function tellingLines(output: string): string {
  const plain = stripVTControlCharacters(output).split('\n');
  const lines = plain.filter((line) => line.trim() !== '').map((line) => line.slice(0, 300));
  const marked = lines.filter((line) => /^(\[ERROR\] \S|ERROR|E:|fatal|error)/i.test(line));
  return (marked.length > 0 ? marked.slice(0, 4) : lines.slice(-4)).join('\n         ');
}
