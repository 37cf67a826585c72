// How old the oldest record is that is in the log and not in the rollups. Records carry arrival times that may be simulated,
// so their age is taken from when the watcher first saw the log that long. Pure; the watcher keeps the samples.
// When it dies: ages begin anew with the next watcher, at most a look too young.

export type Sample = { readonly atMs: number; readonly ends: readonly bigint[] };

/** A day at a look every ten seconds, thinned as described below. */
const SAMPLES_MAX = 2_000;

/** The samples that still tell something: the newest look, and those the rollups have not reached. */
export function takeSample(samples: readonly Sample[], sample: Sample, rolledUp: readonly bigint[]): Sample[] {
  const open = [...samples, sample].filter((one) => isBeyond(one, rolledUp));
  // After a long standstill every second of the newer half goes: the oldest one decides.
  if (open.length <= SAMPLES_MAX) return open;
  return open.filter((_, index) => index < SAMPLES_MAX / 2 || index % 2 === 0);
}

/** 0 when the rollups hold everything that was ever seen. */
export function computeFreshnessMs(samples: readonly Sample[], rolledUp: readonly bigint[], nowMs: number): number {
  const oldest = samples.find((one) => isBeyond(one, rolledUp));
  return oldest === undefined ? 0 : Math.max(0, nowMs - oldest.atMs);
}

function isBeyond({ ends }: Sample, rolledUp: readonly bigint[]): boolean {
  return ends.some((end, partition) => end > (rolledUp[partition] ?? 0n));
}
