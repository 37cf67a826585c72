// What keeps an account from a step, read afresh right before it.

import { computeHolds, type Hold, type HoldKind } from '../holds/compute.ts';
import { rowsOf, type Deps } from './deps.ts';

export async function fetchAccountHolds(deps: Deps, account: string, kind: HoldKind): Promise<Hold[]> {
  const nowMs = await deps.clock.now();
  return computeHolds(await rowsOf(deps).fetchHolds(nowMs), { account, kind, nowMs });
}
