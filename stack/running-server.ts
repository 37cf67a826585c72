// One native server under the supervisor: its start, its restarts, its first answer.
import { openSync, readFileSync } from 'node:fs';
import { keepRunning } from './keep-running.ts';
import type { Leash } from './leash.ts';
import type { Place } from './place.ts';
import type { ServerSpec, StackSpec } from './protocol.ts';
import { untilAnswered } from './ready.ts';
import { servers } from './servers/table.ts';
import type { StackState } from './state.ts';

export type RunningServer = { stop: (graceMs: number) => Promise<void>; answered: Promise<void> };

const mostRestartsBeforeAnswer = 3;

type Options = {
  server: ServerSpec;
  spec: StackSpec;
  place: Place;
  leash: Leash;
  state: StackState;
  log: (line: string) => void;
  changed: () => void;
  isStopping: () => boolean;
};

/** Starts a server; `answered` settles when it has answered or can't. */
export async function startServer(options: Options): Promise<RunningServer> {
  const { spec, log, changed, state, place } = options;
  const { name, installed } = options.server;
  const server = servers[name];
  const startedAtMs = performance.now();
  const { entry } = place;
  const { addresses, ports, dataDir, logFile } = entry;
  const program = await server.start({ dataDir, ports, installed, settings: spec.settings, peers: state.servers });
  await place.release();
  const kept = keepRunning({
    name,
    program,
    leash: options.leash,
    output: openSync(logFile, spec.keepData ? 'a' : 'w'),
    log,
    onStart: (child, restarts) => {
      if (child.pid === undefined) delete entry.pid;
      else entry.pid = child.pid;
      entry.restarts = restarts;
      changed();
    },
  });
  const answered = untilAnswered(async () => server.ready(addresses), {
    name,
    withinMs: server.readyWithinMs,
    where: () => `${logFile}\n${lastLines(logFile)}`,
    next: `read its log: npm run stack -- logs ${name} ${spec.name}`,
    // A server that never answered and ended several times won't get better by waiting.
    gaveUp: () => kept.restarts >= mostRestartsBeforeAnswer || options.isStopping(),
  }).then(() => {
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    log(`${name.padEnd(13)} native   ${addresses[server.variables[0]] ?? ''}  ready in ${seconds} s`);
  });
  return { stop: kept.stop, answered };
}

function lastLines(file: string): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8);
  return lines.map((line) => `    ${line.slice(0, 200)}`).join('\n');
}
