// CPU seconds of processes and all their descendants, from /proc: Linux only, like the servers it measures.

import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts in ticks of 10 ms on every platform Node runs on. */
const TICKS_PER_SECOND = 100;

type Process = { readonly pid: number; readonly parent: number; readonly cpuSeconds: number };

/** CPU seconds so far, by name. A process that is gone counts as nothing, so take differences while all live. */
export function readCpuSeconds(pids: ReadonlyMap<string, number>): Map<string, number> {
  const processes = readProcesses();
  const children = Map.groupBy(processes, ({ parent }) => parent);
  const total = (one: Process): number =>
    (children.get(one.pid) ?? []).reduce((sum, child) => sum + total(child), one.cpuSeconds);
  const byPid = new Map(processes.map((one) => [one.pid, one]));
  return new Map(
    [...pids].map(([name, pid]) => {
      const one = byPid.get(pid);
      return [name, one === undefined ? 0 : total(one)];
    }),
  );
}

export function subtract(after: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>) {
  return Object.fromEntries([...after].map(([name, seconds]) => [name, seconds - (before.get(name) ?? 0)]));
}

function readProcesses(): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      // The command, in brackets, may hold spaces; behind it: state, parent, … utime (12th), stime (13th).
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ticks = Number(fields[11]) + Number(fields[12]);
      return [{ pid: Number(name), parent: Number(fields[1]), cpuSeconds: ticks / TICKS_PER_SECOND }];
    } catch {
      return [];
    }
  });
}
