// The way to Alertmanager: says whether an outage is on, and takes what people are to be told.
// Promises: an Alertmanager that can't be asked is `unavailable`, never "no outage"; an alert that isn't sent again ends by
// itself, so a poster that dies leaves no alert standing for ever.

import { TrueupError } from '../domain/contracts/errors.ts';
import { POSTED_ALERTS } from '../domain/contracts/alert-labels.ts';
import type { PostedAlert } from './alert-texts.ts';

export type Alertmanager = {
  /** Whether usage or the API of this environment suffers, by what Alertmanager was told; what is silenced counts. */
  readonly fetchOutage: () => Promise<boolean>;
  /** Sends all of them; they stand for `validMs` from `nowMs`, machine time. */
  readonly pushAlerts: (alerts: readonly PostedAlert[], nowMs: number) => Promise<void>;
};

export type AlertmanagerOptions = {
  readonly url: string;
  readonly env: string;
  /** A few looks long, so that one that fails ends nothing. */
  readonly validMs: number;
};

/** Alertmanager takes a request of any size; these stay below what proxies let through. */
const ALERTS_PER_REQUEST = 500;
const ANSWER_WITHIN_MS = 10_000;

const OUTAGE = [
  'scope="platform"',
  'severity="page"',
  'impact=~"usage_pipeline|api"',
  // Ours: it follows from episodes, and would hold itself.
  `alertname!="${POSTED_ALERTS.anomaliesWidespread}"`,
];

export function createAlertmanager({ url, env, validMs }: AlertmanagerOptions): Alertmanager {
  const alerts = new URL('/api/v2/alerts', url);
  return {
    fetchOutage: async () => {
      const asked = new URL(alerts);
      for (const filter of [`env="${env}"`, ...OUTAGE]) asked.searchParams.append('filter', filter);
      // What another alert explains lasts longer than its cause, by the length of its windows.
      asked.searchParams.set('inhibited', 'false');
      const found: unknown = await (await request(asked, {})).json();
      if (!Array.isArray(found)) throw unavailable('its list of alerts is no list');
      return found.length > 0;
    },
    pushAlerts: async (all, nowMs) => {
      const endsAt = new Date(nowMs + validMs).toISOString();
      for (let from = 0; from < all.length; from += ALERTS_PER_REQUEST) {
        const part = all.slice(from, from + ALERTS_PER_REQUEST).map((alert) => ({ ...alert, endsAt }));
        const headers = { 'content-type': 'application/json' };
        await request(alerts, { method: 'POST', headers, body: JSON.stringify(part) });
      }
    },
  };
}

async function request(address: URL, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { ...init, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  } catch (cause) {
    throw unavailable('it does not answer', cause);
  }
  if (response.ok) return response;
  const said = (await response.text()).slice(0, 300);
  // It refuses a whole request for one label it can't take: sending it again would be refused again.
  if (response.status === 400)
    throw new TrueupError({ kind: 'bug', code: 'ALERT_REFUSED', message: `Alertmanager refuses alerts: ${said}` });
  throw unavailable(`it answers ${response.status}: ${said}`);
}

function unavailable(why: string, cause?: unknown): TrueupError {
  const next = 'see whether Alertmanager runs at TRUEUP_ALERTMANAGER_URL';
  return new TrueupError({
    kind: 'unavailable',
    code: 'ALERTMANAGER_UNAVAILABLE',
    message: `Alertmanager: ${why}`,
    next,
    cause,
  });
}
