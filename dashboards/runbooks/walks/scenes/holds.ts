// A hold on everyone that somebody set for five hours and forgot.

import { DAY_MS, HOUR_MS, toIso } from '../../../../domain/period.ts';
import { computeHoldState, fetchAllHolds } from '../../../../reconcile/books.ts';
import type { Scene } from '../walk.ts';
import { BEGIN_MS, OPERATOR } from '../setting.ts';
import type { World } from '../world.ts';

/** The one in force, or the last one that was. */
async function fill({ clients }: World) {
  const holds = await fetchAllHolds(clients.db);
  const inForce = holds.findLast((hold) => computeHoldState(hold, BEGIN_MS) === 'in force');
  return { hold: (inForce ?? holds.at(-1))?.id ?? '', until: toIso(BEGIN_MS + 30 * DAY_MS), you: OPERATOR };
}

export const HOLDS: Scene = {
  name: 'a hold on everyone',
  expects: [
    { alert: 'HoldExpiresSoon', labels: { severity: 'ticket' }, fill },
    { alert: 'HoldForgotten', labels: { severity: 'ticket', stops: 'pushes' }, fill },
  ],
  breaks: async ({ must }) => {
    const until = toIso(BEGIN_MS + 5 * HOUR_MS);
    await must(`npm run trueup -- holds add --global --reason 'looked into' --until ${until} --as ${OPERATOR}`);
  },
  mends: async (_world, fix) => {
    await fix('HoldExpiresSoon');
    await fix('HoldForgotten');
  },
};
