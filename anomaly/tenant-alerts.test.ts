import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { POSTED_ALERTS } from '../domain/contracts/alert-labels.ts';
import type { PostedAlert } from './alert-texts.ts';
import type { Episode } from './episode.ts';
import { FLEET_POLICY } from './fleet-policy.ts';
import { composeTenantAlerts, NOTHING_TOLD, type Look, type Telling } from './tenant-alerts.ts';
import { createEpisode, createEpisodes } from './testing/episodes.ts';

const MINUTE_MS = 60_000;
const context = { env: 'test', runbooks: 'runbooks/', boards: 'http://boards.example' };
const fleet = { activeTenants: 20_000, largeTenants: 100 };
const nothing: Telling = { state: NOTHING_TOLD, alerts: [] };

function look(before: Telling, at: Partial<Look> & { minute: number }): Telling {
  const { minute, ...rest } = at;
  const seen = { episodes: [], fleet, outage: false, nowMs: minute * MINUTE_MS, ...rest };
  return composeTenantAlerts(before.state, seen, FLEET_POLICY, context);
}

const named = (alerts: readonly PostedAlert[], name: string) =>
  alerts.filter(({ labels }) => labels['alertname'] === name);
const single = ({ alerts }: Telling) => named(alerts, POSTED_ALERTS.tenantAnomaly);
const summaries = ({ alerts }: Telling) => named(alerts, POSTED_ALERTS.tenantsAfterOutage);

describe('on a usual day', () => {
  test('an episode is told as long as it is open, under the same labels', () => {
    const episodes = [createEpisode({ tenant: 'acme' })];
    const first = look(nothing, { minute: 0, episodes });
    const second = look(first, { minute: 1, episodes: [createEpisode({ tenant: 'acme', extraMinor: 99_000n })] });
    expect(single(second)[0]?.labels).toEqual(single(first)[0]?.labels);
    expect(single(look(second, { minute: 2 }))).toEqual([]);
  });

  test('it says who, what, how much, why and where to look', () => {
    const [alert] = single(look(nothing, { minute: 0, episodes: [createEpisode({ tenant: 'acme' })] }));
    expect(alert?.labels).toEqual({
      alertname: 'TenantAnomaly',
      scope: 'tenant',
      severity: 'ticket',
      team: 'support',
      impact: 'billing',
      service: 'anomaly',
      env: 'test',
      tenant_id: 'acme',
      tier: 'other',
      meter: 'actions',
      direction: 'more',
      episode: 'acme-actions-more-1',
    });
    expect(alert?.annotations).toEqual({
      summary: 'acme Inc. (acme): 4.2 times the expected actions, 100.00 USD more by the end of the period',
      description: [
        'Plan growth, owner dana.',
        'From 2026-10-14 08:00 to 2026-10-14 08:10 UTC: 42000, expected 8000 to 12000 (p 1e-9).',
        'Invoice as it goes on: 2,500.00 USD; last one: 1,000.00 USD.',
        'Mostly key k-7 (81 %).',
        'Looks like growth, high confidence. Episode acme-actions-more-1.',
      ].join('\n'),
      runbook_url: 'runbooks/TenantAnomaly.md',
      dashboard_url: 'http://boards.example/d/trueup-tenant?var-tenant=acme&from=1791964800000&to=now',
    });
  });

  test.each([
    ['attack', 'security'],
    ['double metering', 'billing'],
  ] as const)('what can not wait and looks like %s is also told to %s', (likelyCause, team) => {
    const episodes = [createEpisode({ tenant: 'acme', urgency: 'page', likelyCause })];
    expect(single(look(nothing, { minute: 0, episodes }))[0]?.labels).toMatchObject({ severity: 'page', team });
  });

  test('support is told of the five with the most money within an hour, and how many more there are', () => {
    const told = look(nothing, { minute: 0, episodes: createEpisodes(12) });
    expect(single(told).map(({ labels }) => labels['tenant_id'])).toEqual(
      [11, 10, 9, 8, 7].map((index) => `tenant-${index}`),
    );
    const [rest] = named(told.alerts, POSTED_ALERTS.moreTenantAnomalies);
    expect(rest?.annotations['summary']).toMatch(/^7 more tenants/);
    const later = look(told, { minute: 59, episodes: createEpisodes(13) });
    expect(single(later)).toHaveLength(5);
    expect(single(look(later, { minute: 60, episodes: createEpisodes(13) }))).toHaveLength(10);
  });

  test('another meter of a tenant whom support knows is no further message', () => {
    const known = createEpisodes(5);
    const told = look(nothing, { minute: 0, episodes: known });
    const storage = createEpisode({ tenant: 'tenant-0', meter: 'storage' });
    expect(single(look(told, { minute: 1, episodes: [...known, storage] }))).toHaveLength(6);
  });

  test('a page is told beyond the hour’s five', () => {
    const told = look(nothing, { minute: 0, episodes: createEpisodes(5) });
    const attack = createEpisode({ tenant: 'late', urgency: 'page', likelyCause: 'attack' });
    expect(single(look(told, { minute: 1, episodes: [...createEpisodes(5), attack] }))).toHaveLength(6);
  });
});

describe('when the cause is ours', () => {
  test.each([
    ['more than 2 % of the active tenants', true, createEpisodes(401)],
    ['2 % of them', false, createEpisodes(400)],
    [
      '3 %, half of them in either direction',
      false,
      [...createEpisodes(300), ...createEpisodes(300, { direction: 'less' })],
    ],
    ['more than a tenth of the large ones', true, createEpisodes(20, { isLarge: true })],
    [
      'a tenth of the large ones',
      false,
      [...createEpisodes(10, { isLarge: true }), createEpisode({ tenant: 'small' })],
    ],
  ])('%s deviate, so the cause is ours: %s', (_, isOurs, episodes) => {
    const told = look(nothing, { minute: 0, episodes });
    expect(named(told.alerts, POSTED_ALERTS.anomaliesWidespread)).toHaveLength(isOurs ? 1 : 0);
    expect(single(told).length > 0).toBe(!isOurs);
  });

  test('nineteen of twenty tenants are a small fleet, not an incident', () => {
    const small = { activeTenants: 20, largeTenants: 20 };
    const told = look(nothing, { minute: 0, fleet: small, episodes: createEpisodes(19, { isLarge: true }) });
    expect(named(told.alerts, POSTED_ALERTS.anomaliesWidespread)).toEqual([]);
  });

  test.each([true, 'unknown'] as const)('nothing is told while an outage is on: %s', (outage) => {
    const told = look(nothing, { minute: 0, outage, episodes: createEpisodes(5) });
    expect(told.alerts).toEqual([]);
  });

  test('after it has settled one summary says how many were affected, how many still are, and the largest', () => {
    const during = look(nothing, { minute: 0, outage: true, episodes: createEpisodes(5_000, { direction: 'less' }) });
    const still = createEpisodes(3, { direction: 'less', extraMinor: -70_000n });
    const recovered = look(during, { minute: 20, episodes: still });
    expect(recovered.alerts).toEqual([]);
    expect(look(recovered, { minute: 49, episodes: still }).alerts).toEqual([]);
    const settled = look(recovered, { minute: 50, episodes: still });
    const [summary, ...others] = summaries(settled);
    expect(others).toEqual([]);
    expect(summary?.annotations['summary']).toBe('5000 tenants deviated during an outage, 3 still do');
    expect(summary?.annotations['description']).toMatch(/^tenant-\d Inc\. \(tenant-\d\): 700\.00 USD less/);
    expect(single(settled)).toHaveLength(3);
    expect(summaries(look(settled, { minute: 109 }))).toEqual([summary]);
    expect(look(settled, { minute: 110 }).alerts).toEqual([]);
  });

  test('an outage that comes back before it has settled is one outage', () => {
    let telling = look(nothing, { minute: 0, outage: true, episodes: createEpisodes(2) });
    telling = look(telling, { minute: 10 });
    telling = look(telling, { minute: 30, outage: true });
    telling = look(telling, { minute: 45 });
    expect(look(telling, { minute: 70 }).alerts).toEqual([]);
    expect(summaries(look(telling, { minute: 75 }))).toHaveLength(1);
  });

  test('an outage that touched nobody leaves nothing to tell', () => {
    const during = look(nothing, { minute: 0, outage: true });
    const recovered = look(during, { minute: 1 });
    expect(look(recovered, { minute: 31 }).alerts).toEqual([]);
  });
});

test('whatever comes and goes, no tenant is told of while held back, and every one held back is in the next summary', () => {
  const steps = fc.array(
    fc.record({
      minutes: fc.integer({ min: 1, max: 40 }),
      outage: fc.constantFrom<Look['outage']>(true, false, 'unknown'),
      tenants: fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 31 }),
    }),
    { minLength: 1, maxLength: 30 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      let telling = nothing;
      let minute = 0;
      let held = new Set<string>();
      // At the end it is calm for long enough to tell everything.
      const calm = { minutes: 31, outage: false as const, tenants: [] };
      for (const { minutes, outage, tenants } of [...all, calm, calm]) {
        minute += minutes;
        const episodes: Episode[] = tenants.map((index) => createEpisode({ tenant: `t-${index}` }));
        const known = new Set(telling.state.summaries.map(({ alert }) => alert));
        telling = look(telling, { minute, outage, episodes });
        if (telling.state.hold !== undefined) {
          for (const { tenant } of episodes) held.add(tenant.id);
          expect(single(telling)).toEqual([]);
          continue;
        }
        const fresh = telling.state.summaries.filter(({ alert }) => !known.has(alert));
        for (const { tenant } of fresh.length > 0 ? episodes : []) held.add(tenant.id);
        expect(fresh.length).toBe(held.size > 0 ? 1 : 0);
        if (held.size > 0) expect(fresh[0]?.alert.annotations['summary']).toMatch(new RegExp(`^${held.size} tenants `));
        held = new Set();
      }
    }),
    { numRuns: 200 },
  );
});
