// What keeps an account from a step, read afresh right before it.

import { fetchHolds } from '../holds/book.ts';
import { computeHolds, type Hold, type HoldKind } from '../holds/compute.ts';
import type { Deps } from './deps.ts';

export async function fetchAccountHolds({ db, clock }: Deps, account: string, kind: HoldKind): Promise<Hold[]> {
  const nowMs = await clock.now();
  return computeHolds(await fetchHolds(db, nowMs), { account, kind, nowMs });
}
