// From open episodes to what people are told. Pure: the state of the last look goes in, the next one comes out, and it is
// plain data that the detector stores with its episodes.
// Promises: while an outage lasts or tenants deviate everywhere, nobody is told of single tenants; nothing held back is
// lost, but told in one summary once usage has flowed again for the time to settle. Not knowing whether there is an outage
// counts as one.

import { findWidespread, chooseSingle, worstFirst, type Fleet, type Told } from './fleet-control.ts';
import type { FleetPolicy } from './fleet-policy.ts';
import {
  describeEpisode,
  describeRest,
  describeSummary,
  describeWidespread,
  type AlertContext,
  type PostedAlert,
} from './alert-texts.ts';
import type { Episode } from './episode.ts';

export type Hold = {
  readonly why: 'outage' | 'widespread';
  readonly sinceMs: number;
  /** Since when there has been no reason any more. */
  readonly clearSinceMs?: number;
  /** One per tenant that deviated meanwhile, the episode with the most money. */
  readonly affected: readonly Episode[];
};

export type TellingState = {
  readonly hold?: Hold;
  readonly told: readonly Told[];
  readonly summaries: readonly { readonly alert: PostedAlert; readonly untilMs: number }[];
};

export const NOTHING_TOLD: TellingState = { told: [], summaries: [] };

export type Look = {
  readonly episodes: readonly Episode[];
  readonly fleet: Fleet;
  readonly outage: boolean | 'unknown';
  /** Machine time. */
  readonly nowMs: number;
};

export type Telling = { readonly state: TellingState; readonly alerts: readonly PostedAlert[] };

/** Alerts are complete: what is not among them is over, and ends at Alertmanager by not being sent again. */
export function composeTenantAlerts(
  before: TellingState,
  look: Look,
  policy: FleetPolicy,
  context: AlertContext,
): Telling {
  const { episodes, fleet, outage, nowMs } = look;
  const widespread = findWidespread(episodes, fleet, policy);
  const why = outage === false ? (widespread === undefined ? undefined : 'widespread') : 'outage';
  const summaries = before.summaries.filter(({ untilMs }) => untilMs > nowMs);
  const hold = updateHold(before.hold, why, look);
  const isOver = hold?.clearSinceMs !== undefined && nowMs - hold.clearSinceMs >= policy.settleMs;

  if (hold !== undefined && !isOver) {
    const alerts = why === 'widespread' && widespread !== undefined ? [describeWidespread(widespread, context)] : [];
    return { state: { ...before, hold, summaries }, alerts: [...alerts, ...summaries.map(({ alert }) => alert)] };
  }
  if (hold !== undefined && hold.affected.length > 0) {
    const stillOpen = new Set(episodes.map(({ tenant }) => tenant.id));
    const alert = describeSummary(hold, stillOpen, context);
    summaries.push({ alert, untilMs: nowMs + policy.summaryShownMs });
  }
  const { single, rest, told } = chooseSingle(episodes, before.told, policy, nowMs);
  return {
    state: { told, summaries },
    alerts: [
      ...single.map((episode) => describeEpisode(episode, context)),
      ...(rest.length === 0 ? [] : [describeRest(rest, context)]),
      ...summaries.map(({ alert }) => alert),
    ],
  };
}

function updateHold(hold: Hold | undefined, why: Hold['why'] | undefined, look: Look): Hold | undefined {
  const { episodes, nowMs } = look;
  if (why === undefined && hold === undefined) return undefined;
  const affected = addAffected(hold?.affected ?? [], episodes);
  const sinceMs = hold?.sinceMs ?? nowMs;
  if (why !== undefined) return { why: hold?.why === 'outage' ? 'outage' : why, sinceMs, affected };
  return { why: hold?.why ?? 'outage', sinceMs, clearSinceMs: hold?.clearSinceMs ?? nowMs, affected };
}

function addAffected(known: readonly Episode[], episodes: readonly Episode[]): readonly Episode[] {
  const byTenant = new Map<string, Episode>();
  for (const episode of [...known, ...episodes].toSorted(worstFirst))
    if (!byTenant.has(episode.tenant.id)) byTenant.set(episode.tenant.id, episode);
  return [...byTenant.values()];
}
