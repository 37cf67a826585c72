// Whether tenants deviate because of themselves or because of us, and of whom support is told one by one. Pure.

import { magnitude } from '../domain/decimal.ts';
import type { Direction, Episode } from './episode.ts';
import type { FleetPolicy } from './fleet-policy.ts';

export type Fleet = { readonly activeTenants: number; readonly largeTenants: number };

export type Widespread = { readonly direction: Direction; readonly tenants: number; readonly largeTenants: number };

/** The direction in which too many tenants deviate at once; undefined where each has its own reason. */
export function findWidespread(
  episodes: readonly Episode[],
  fleet: Fleet,
  policy: FleetPolicy,
): Widespread | undefined {
  const directions: readonly Direction[] = ['less', 'more'];
  return directions
    .map((direction) => {
      const deviating = episodes.filter((episode) => episode.direction === direction);
      const count = (of: readonly Episode[]) => new Set(of.map(({ tenant }) => tenant.id)).size;
      return {
        direction,
        tenants: count(deviating),
        largeTenants: count(deviating.filter(({ tenant }) => tenant.isLarge)),
      };
    })
    .filter(({ tenants }) => tenants >= policy.widespreadTenantsMin)
    .find(
      ({ tenants, largeTenants }) =>
        tenants > fleet.activeTenants * policy.widespreadShare ||
        largeTenants > fleet.largeTenants * policy.widespreadLargeShare,
    );
}

/** Whom support was told of, machine time. */
export type Told = { readonly tenantId: string; readonly episodeId: string; readonly atMs: number };

export type Chosen = {
  readonly single: readonly Episode[];
  readonly rest: readonly Episode[];
  readonly told: readonly Told[];
};

/**
 * Whoever was told of stays told of while the episode is open. New tenants come by urgency and money until the hour is full;
 * a page is told in any case, since it is somebody else's too.
 */
export function chooseSingle(
  episodes: readonly Episode[],
  toldBefore: readonly Told[],
  policy: FleetPolicy,
  nowMs: number,
): Chosen {
  const open = new Set(episodes.map(({ id }) => id));
  const recent = (atMs: number) => nowMs - atMs < policy.hourMs;
  const told = toldBefore.filter(({ episodeId, atMs }) => open.has(episodeId) || recent(atMs));
  const tenants = new Set(told.filter(({ episodeId }) => open.has(episodeId)).map(({ tenantId }) => tenantId));
  let left =
    policy.singleMessagesPerHour -
    new Set(told.filter(({ atMs }) => recent(atMs)).map(({ tenantId }) => tenantId)).size;
  const single: Episode[] = [];
  const rest: Episode[] = [];
  for (const episode of episodes.toSorted(worstFirst)) {
    const { id } = episode.tenant;
    // All of a tenant's meters are one message.
    const isTold = tenants.has(id);
    if (!isTold && episode.urgency !== 'page' && left <= 0) {
      rest.push(episode);
      continue;
    }
    if (!isTold) left -= 1;
    tenants.add(id);
    single.push(episode);
    if (!told.some(({ episodeId }) => episodeId === episode.id))
      told.push({ tenantId: id, episodeId: episode.id, atMs: nowMs });
  }
  return { single, rest, told };
}

/** Amounts of different currencies stand beside each other unconverted: the order is for people, not for books. */
export function worstFirst(one: Episode, other: Episode): number {
  if (one.urgency !== other.urgency) return one.urgency === 'page' ? -1 : 1;
  const [a, b] = [one, other].map(({ money }) => magnitude(money.projectedExtraMinor));
  return a === b ? one.id.localeCompare(other.id) : (a ?? 0n) > (b ?? 0n) ? -1 : 1;
}
