// A walk: something is really broken, the alert fires within its promised time, the commands of its runbook answer as the
// runbook says, its fix is carried out, and the alert ends. What does not hold is noted and the walk goes on.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillIn, findMissing, type Fill } from '../answers.ts';
import { parseRunbook, type Heading, type Runbook } from '../runbook.ts';
import { promiseOf, type Promised } from './pace.ts';
import type { Labels } from './prometheus.ts';
import { seenWithin } from './soon.ts';
import type { World } from './world.ts';

export type Expectation = {
  readonly alert: string;
  /** By which its alerts are told apart. */
  readonly labels: Labels;
  /** Values for the runbook's `<words>`; asked again at every step. */
  readonly fill?: (world: World) => Promise<Fill> | Fill;
  /** Resolves when what the alert watches for begins; by default that is when the scene is broken. */
  readonly begins?: (world: World) => Promise<void>;
  /** What takes this long at any pace, besides what every alert is given. */
  readonly slowerByMs?: number;
  /** Where its alert can't be seen at Prometheus. */
  readonly isTold?: (world: World) => boolean;
};

/** Alerts that one break causes, and that one mending ends. */
export type Scene = {
  readonly name: string;
  /** A server hangs meanwhile, so that the watcher's looks take long. */
  readonly looksHang?: boolean;
  readonly expects: readonly Expectation[];
  readonly breaks: (world: World) => Promise<void>;
  /** Does in words what the runbooks say; `fix` runs the commands that stand under "Fix it". */
  readonly mends: (world: World, fix: (alert: string) => Promise<void>) => Promise<void>;
};

export type WalkResult = {
  readonly alert: string;
  readonly promised: Promised;
  /** Undefined: it did not. */
  readonly firedMs: number | undefined;
  readonly clearedMs: number | undefined;
  /** What was not as the runbook says. */
  readonly problems: readonly string[];
  readonly commands: number;
};

type Walk = {
  readonly expectation: Expectation;
  readonly runbook: Runbook;
  readonly promised: Promised;
  readonly problems: string[];
  firedMs: number | undefined;
  commands: number;
};

/** Beyond its promise an alert is waited for by this much, so that one that is late is told from one that is missing. */
const LATE_MS = 30_000;
const QUIET_MS = 90_000;
const ANSWER_MS = 90_000;
const CLEARED_MS = 180_000;

/** Resolves when the scene is mended; `ended` when its alerts have ended too. */
export async function walkScene(world: World, scene: Scene): Promise<{ ended: Promise<WalkResult[]> }> {
  const walks = scene.expects.map((expectation) => beginWalk(expectation, scene.looksHang ?? false));
  try {
    await Promise.all(walks.map(async (walk) => watchItIsQuiet(world, walk)));
    await scene.breaks(world);
    await Promise.all(walks.map(async (walk) => watchItFire(world, walk)));
  } catch (error) {
    note(walks, `breaking: ${String(error)}`);
  }
  const fix = async (alert: string) => {
    const walk = walks.find(({ expectation }) => expectation.alert === alert);
    if (walk !== undefined) await runFix(world, walk);
  };
  await scene.mends(world, fix).catch((error: unknown) => note(walks, `mending: ${String(error)}`));
  const mendedAtMs = performance.now();
  return { ended: Promise.all(walks.map(async (walk) => watchItEnd(world, walk, mendedAtMs))) };
}

function beginWalk(expectation: Expectation, looksHang: boolean): Walk {
  const { alert, labels, slowerByMs = 0 } = expectation;
  const text = readFileSync(join(import.meta.dirname, '..', `${alert}.md`), 'utf8');
  const promised = promiseOf({ alert, severity: labels['severity'], looksHang, slowerByMs });
  return { expectation, runbook: parseRunbook(text), promised, problems: [], firedMs: undefined, commands: 0 };
}

function note(walks: readonly Walk[], problem: string): void {
  for (const { problems } of walks) problems.push(problem);
}

async function isTold(world: World, { alert, labels, isTold: told }: Expectation): Promise<boolean> {
  return told === undefined ? (await world.prometheus.firing(alert, labels)).length > 0 : told(world);
}

/** What another walk provoked beside its own alerts ends first. */
async function watchItIsQuiet(world: World, { expectation, problems }: Walk): Promise<void> {
  const quiet = await seenWithin(QUIET_MS, async () => ((await isTold(world, expectation)) ? undefined : true));
  if (quiet === undefined) problems.push('it fired before anything was broken');
}

async function watchItFire(world: World, walk: Walk): Promise<void> {
  const { expectation, promised, problems } = walk;
  await expectation.begins?.(world);
  const beganAtMs = performance.now();
  const fires = await seenWithin(promised.allowedMs + LATE_MS, async () =>
    (await isTold(world, expectation)) ? true : undefined,
  );
  if (fires === undefined) {
    problems.push('it did not fire');
    return;
  }
  walk.firedMs = performance.now() - beganAtMs;
  if (walk.firedMs > promised.allowedMs) problems.push(`it fired late`);
  await look(world, walk, 'See it');
}

/** Runs a section's commands until their answers are what stands there. */
async function look(world: World, walk: Walk, heading: Heading): Promise<void> {
  const { expectation, runbook, problems } = walk;
  const { commands, answer } = runbook.sections[heading];
  let missing: string[] = [];
  let output = '';
  const ok = await seenWithin(ANSWER_MS, async () => {
    try {
      const fill = (await expectation.fill?.(world)) ?? {};
      const ran = await Promise.all(commands.map(async (command) => world.run(fillIn(command, fill))));
      output = ran.map((one) => one.output).join('\n');
      missing = findMissing(answer, output, fill);
    } catch (error) {
      [output, missing] = [String(error), [...answer]];
    }
    return missing.length === 0 ? true : undefined;
  });
  if (ok === true) walk.commands += commands.length;
  else problems.push(`${heading}: no line like ${missing.join(' | ')} in\n${output}`);
}

async function runFix(world: World, walk: Walk): Promise<void> {
  const { expectation, runbook, problems } = walk;
  for (const command of runbook.sections['Fix it'].commands) {
    const filled = fillIn(command, (await expectation.fill?.(world)) ?? {});
    const { code, output } = await world.run(filled);
    if (code === 0) walk.commands += 1;
    else problems.push(`Fix it: ${filled} ended with code ${code}: ${output}`);
  }
}

async function watchItEnd(world: World, walk: Walk, mendedAtMs: number): Promise<WalkResult> {
  const { expectation, promised, problems, firedMs } = walk;
  let clearedMs: number | undefined;
  if (firedMs !== undefined) {
    const over = look(world, walk, 'It is over when');
    const ends = await seenWithin(CLEARED_MS, async () => ((await isTold(world, expectation)) ? undefined : true));
    if (ends === true) clearedMs = performance.now() - mendedAtMs;
    else problems.push('it did not end');
    await over;
  }
  return { alert: expectation.alert, promised, firedMs, clearedMs, problems, commands: walk.commands };
}
