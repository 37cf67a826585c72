// One run of the continuous proof: every check looks, what it saw is recorded, what is gone is resolved. Reads only,
// apart from the findings. A check that can't read leaves its findings as they are and fails the run after the others.
// When it dies: nothing is half done; the next run looks again.

import type { Period } from '../../domain/period.ts';
import { DAY_MS } from '../../domain/period.ts';
import type { CloseDeps } from '../close.ts';
import type { Window } from '../parameters.ts';
import { lookAtBlocks, lookAtTouchedMinutes } from './blocks.ts';
import { fetchFindings, recordLook, type Finding, type Look } from './findings.ts';
import { lookAtParts } from './parts.ts';
import { lookAtRollups } from './rollups.ts';
import { createSampling } from './sampling.ts';
import { dueWindow, lookAtConflicts, lookAtManifests, lookAtSilence } from './sources.ts';

export type IntegrityOptions = {
  /** Business time. */
  readonly nowMs: number;
  /** Every hour of this period instead of a sample. */
  readonly full?: Period;
  readonly sampledHours?: number;
  readonly sampledBlocks?: number;
  readonly random?: () => number;
  /** Machine time between two sights that count as two. */
  readonly secondLookMs?: number;
};

export type IntegrityRun = {
  /** What stands after the run. */
  readonly findings: readonly Finding[];
  readonly checks: readonly string[];
  /** Checks that could not look, with the reason. */
  readonly failed: readonly { readonly check: string; readonly error: string }[];
};

const SECOND_LOOK_MS = 2_000;
const SAMPLED_HOURS = 12;
const SAMPLED_BLOCKS = 20;
/** How far back samples reach: what can still change or be billed. */
const REACH_MS = 70 * DAY_MS;
const CONFLICT_WINDOW_MS = 3 * DAY_MS;

export async function runIntegrity(deps: CloseDeps, options: IntegrityOptions): Promise<IntegrityRun> {
  const { nowMs, full } = options;
  const standing = await fetchFindings(deps.db);
  const sampling = createSampling({
    hours: options.sampledHours ?? SAMPLED_HOURS,
    blocks: options.sampledBlocks ?? SAMPLED_BLOCKS,
    standing,
    random: options.random ?? Math.random,
  });
  // Sources' clocks may run a little ahead.
  const reach: Window = full ?? { startAtMs: nowMs - REACH_MS, endAtMs: nowMs + DAY_MS };
  const due = dueWindow(nowMs, standing);
  const manifestWindow = full === undefined ? due : { ...full, endAtMs: Math.min(full.endAtMs, due.endAtMs) };
  const conflictWindow = full ?? { startAtMs: nowMs - CONFLICT_WINDOW_MS, endAtMs: nowMs + DAY_MS };
  const checks: Readonly<Record<string, () => Promise<Look>>> = {
    blocks: async () => lookAtBlocks(deps, { nowMs }),
    parts: async () => lookAtParts(deps, sampling, full !== undefined),
    'touched minutes': async () => lookAtTouchedMinutes(deps, sampling),
    rollups: async () => lookAtRollups(deps, reach, sampling, full !== undefined),
    conflicts: async () => lookAtConflicts(deps, conflictWindow, nowMs),
    manifests: async () => lookAtManifests(deps, manifestWindow),
    silence: async () => lookAtSilence(deps, nowMs),
  };
  const failed: { check: string; error: string }[] = [];
  for (const [check, look] of Object.entries(checks)) {
    try {
      const seen = await look();
      await recordLook(deps.db, seen, { atMs: Date.now(), secondLookMs: options.secondLookMs ?? SECOND_LOOK_MS });
    } catch (error) {
      failed.push({ check, error: String(error) });
    }
  }
  return { findings: await fetchFindings(deps.db), checks: Object.keys(checks), failed };
}
