// trueup status: on one screen what stands and what blocks this month. It looks twice, so that it can tell work that moves
// from work that stands still, and answers whatever is away. Exit code 1 says that something is in the way.

import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createLog } from '../platform/log.ts';
import { findBlockers } from '../watch/blockers.ts';
import { openWatch, WATCH_VARIABLES } from '../watch/deps.ts';
import { createLook } from '../watch/look.ts';
import { describeScreen } from '../watch/screen.ts';
import type { Run } from './command.ts';
import { toJson } from './json.ts';

const BETWEEN_LOOKS_MS = 2_000;

export const run: Run = async (args, context) => {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
  const { deps, close } = openWatch(context.env(...WATCH_VARIABLES), createLog('cli', 'silent'));
  try {
    const look = createLook(deps);
    const before = await look();
    await delay(BETWEEN_LOOKS_MS);
    const looks = { before, now: await look() };
    const blockers = findBlockers(looks);
    if (values.json) context.print(toJson({ blockers, standing: looks.now }));
    else for (const line of describeScreen(looks)) context.print(line);
    return blockers.length === 0 ? 0 : 1;
  } finally {
    await close();
  }
};
