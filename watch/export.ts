// A look as metrics. Gauges of a part that could not be read are taken out: a number nobody read must not look like one.

import { OUTBOX_QUEUES, PERIOD_STEPS, WORKFLOW_KINDS } from '../domain/contracts/metrics/watch.ts';
import { FINDING_KINDS } from '../domain/contracts/integrity-findings.ts';
import { SEVERITIES } from '../domain/contracts/severities.ts';
import type { MetricName } from '../domain/contracts/metrics.ts';
import type { Metrics } from '../platform/metrics.ts';
import { computeDrift } from './objectives.ts';
import { computeOverdueMs } from './period-steps.ts';
import type { Part, PartName, Parts, Standing, Values } from './standing.ts';

type Exporter<Name extends PartName> = (metrics: Metrics, value: Values[Name], standing: Standing) => void;

type Row<Name extends PartName> = { readonly gauges: readonly MetricName[]; readonly write: Exporter<Name> };

const seconds = (ms: number) => ms / 1_000;
const sum = (numbers: readonly bigint[]) => Number(numbers.reduce((total, one) => total + one, 0n));

const PARTS: { readonly [Name in PartName]: Row<Name> } = {
  servers: {
    gauges: ['trueup_watch_server_up'],
    write: (metrics, servers) => {
      for (const [server, problem] of Object.entries(servers) as [keyof typeof servers, string | null][]) {
        metrics.record('trueup_watch_server_up', { server }, problem === null ? 1 : 0);
      }
    },
  },
  log: {
    gauges: ['trueup_watch_log_end_records', 'trueup_watch_stored_records', 'trueup_watch_lag_records'],
    write: (metrics, { ends, stored }) => {
      metrics.record('trueup_watch_log_end_records', {}, sum(ends));
      metrics.record('trueup_watch_stored_records', {}, sum(stored));
      for (const [partition, end] of ends.entries()) {
        const lag = Number(end - (stored[partition] ?? 0n));
        metrics.record('trueup_watch_lag_records', { partition: String(partition) }, Math.max(0, lag));
      }
    },
  },
  rollup: {
    gauges: ['trueup_watch_pending_blocks', 'trueup_watch_pending_oldest_seconds'],
    write: (metrics, { pendingBlocks, oldestPendingMs }) => {
      metrics.record('trueup_watch_pending_blocks', {}, pendingBlocks);
      metrics.record('trueup_watch_pending_oldest_seconds', {}, seconds(oldestPendingMs));
    },
  },
  findings: {
    gauges: ['trueup_watch_open_findings', 'trueup_watch_completeness_ratio'],
    write: (metrics, { open, announced, missing }) => {
      for (const kind of FINDING_KINDS) {
        metrics.record('trueup_watch_open_findings', { kind }, open.filter((one) => one.kind === kind).length);
      }
      if (announced === null) metrics.forgetAll('trueup_watch_completeness_ratio');
      else {
        const ratio = announced === 0n ? 1 : Number(((announced - missing) * 1_000_000n) / announced) / 1e6;
        metrics.record('trueup_watch_completeness_ratio', {}, Math.min(1, Math.max(0, ratio)));
      }
    },
  },
  period: {
    gauges: ['trueup_watch_period_overdue_seconds'],
    write: (metrics, { steps }, { clock }) => {
      if (!clock.ok) return;
      for (const step of PERIOD_STEPS) {
        const overdueMs = computeOverdueMs(steps, step, clock.value.businessNowMs);
        metrics.record('trueup_watch_period_overdue_seconds', { step }, seconds(overdueMs));
      }
    },
  },
  books: {
    gauges: [
      'trueup_watch_unsettled_cases',
      'trueup_watch_break_minor_units',
      'trueup_watch_break_overdue_seconds',
      'trueup_watch_drift_ratio',
      'trueup_watch_invoiced_minor_units',
      'trueup_watch_run_accounts',
    ],
    write: writeBooks,
  },
  holds: {
    gauges: ['trueup_watch_standing_holds', 'trueup_watch_hold_expires_seconds'],
    write: (metrics, holds, { clock }) => {
      for (const stops of ['pushes', 'finalization'] as const) {
        for (const scope of ['account', 'all'] as const) {
          const found = holds.filter(
            ({ account, kinds }) => (account === null) === (scope === 'all') && kinds.includes(stops),
          );
          metrics.record('trueup_watch_standing_holds', { stops, scope }, found.length);
        }
      }
      metrics.forgetAll('trueup_watch_hold_expires_seconds');
      if (!clock.ok || holds.length === 0) return;
      const next = Math.min(...holds.map(({ expiresAtMs }) => expiresAtMs)) - clock.value.businessNowMs;
      metrics.record('trueup_watch_hold_expires_seconds', {}, seconds(Math.max(0, next)));
    },
  },
  outbox: {
    gauges: ['trueup_watch_outbox_messages', 'trueup_watch_outbox_oldest_seconds'],
    write: (metrics, outbox) => {
      for (const queue of OUTBOX_QUEUES) {
        metrics.record('trueup_watch_outbox_messages', { queue }, outbox[queue].messages);
        metrics.record('trueup_watch_outbox_oldest_seconds', { queue }, seconds(outbox[queue].oldestDueMs));
      }
    },
  },
  workflows: {
    gauges: ['trueup_watch_running_workflows', 'trueup_watch_workflow_stuck_seconds', 'trueup_watch_failed_workflows'],
    write: (metrics, { running, failed }) => {
      for (const workflow of WORKFLOW_KINDS) {
        const of = running.filter(({ kind }) => kind === workflow);
        const stuckMs = Math.max(0, ...of.map(({ stuck }) => stuck?.forMs ?? 0));
        metrics.record('trueup_watch_running_workflows', { workflow }, of.length);
        metrics.record('trueup_watch_workflow_stuck_seconds', { workflow }, seconds(stuckMs));
        const failures = failed.filter(({ kind }) => kind === workflow).length;
        metrics.record('trueup_watch_failed_workflows', { workflow }, failures);
      }
    },
  },
  storage: {
    gauges: ['trueup_watch_disk_free_ratio', 'trueup_watch_streaming_replicas', 'trueup_watch_replication_lag_seconds'],
    write: (metrics, { diskFreeRatio, replicas, replicationLagMs }) => {
      metrics.record('trueup_watch_disk_free_ratio', {}, diskFreeRatio);
      metrics.record('trueup_watch_streaming_replicas', {}, replicas);
      metrics.record('trueup_watch_replication_lag_seconds', {}, seconds(replicationLagMs));
    },
  },
  clock: {
    gauges: ['trueup_watch_business_timestamp_seconds', 'trueup_watch_clock_skew_seconds'],
    write: (metrics, { businessNowMs, databaseSkewMs }) => {
      metrics.record('trueup_watch_business_timestamp_seconds', {}, seconds(businessNowMs));
      metrics.record('trueup_watch_clock_skew_seconds', {}, seconds(databaseSkewMs));
    },
  },
};

export function exportStanding(metrics: Metrics, standing: Standing): void {
  for (const part of Object.keys(PARTS) as PartName[]) exportPart(metrics, standing, { part, parts: standing });
  metrics.record('trueup_watch_looked_timestamp_seconds', {}, seconds(standing.atMs));
}

/** Through types that go together by name, so that no part's value reaches another part's exporter. */
function exportPart<Name extends PartName>(
  metrics: Metrics,
  standing: Standing,
  { part, parts }: { readonly part: Name; readonly parts: Pick<Parts, Name> },
): void {
  const { gauges, write }: Row<Name> = PARTS[part];
  const found: Part<Values[Name]> = parts[part];
  metrics.count('trueup_watch_reads_total', { part, outcome: found.ok ? 'read' : 'failed' });
  if (found.ok) write(metrics, found.value, standing);
  else for (const gauge of gauges) metrics.forgetAll(gauge);
}

function writeBooks(metrics: Metrics, books: Values['books'], { clock }: Standing): void {
  const { unsettled, newestRun } = books;
  // What is settled since the last look must not go on standing there.
  for (const gauge of PARTS.books.gauges) metrics.forgetAll(gauge);
  for (const cases of Map.groupBy(unsettled, ({ code, severity }) => `${severity} ${code}`).values()) {
    const [one] = cases;
    if (one === undefined) continue;
    const { code, severity } = one;
    metrics.record('trueup_watch_unsettled_cases', { code, severity }, cases.length);
  }
  for (const [currency, cases] of Map.groupBy(unsettled, (one) => one.currency)) {
    metrics.record('trueup_watch_break_minor_units', { currency }, sum(cases.map(({ amountMinor }) => amountMinor)));
  }
  if (clock.ok) {
    const nowMs = clock.value.businessNowMs;
    for (const severity of SEVERITIES) {
      const overdue = unsettled.filter((one) => one.severity === severity).map(({ dueAtMs }) => nowMs - dueAtMs);
      metrics.record('trueup_watch_break_overdue_seconds', { severity }, seconds(Math.max(0, ...overdue)));
    }
  }
  for (const [currency, ratio] of computeDrift(books)) metrics.record('trueup_watch_drift_ratio', { currency }, ratio);
  if (newestRun === null) return;
  for (const [currency, invoiced] of newestRun.invoicedMinor) {
    metrics.record('trueup_watch_invoiced_minor_units', { currency }, Number(invoiced));
  }
  for (const [state, accounts] of newestRun.accounts) metrics.record('trueup_watch_run_accounts', { state }, accounts);
}
