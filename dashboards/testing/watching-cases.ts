import type { AlertCase } from './alert-cases.ts';
import { counter, gauge, missing, slowClock, stoppedClock, vanishing } from './series.ts';

const never = [] as const;

export const WATCHING_CASES: readonly AlertCase[] = [
  {
    about: 'WatcherSilent/page',
    title: 'the watcher hangs in a look',
    changes: {
      trueup_watch_looked_timestamp_seconds: stoppedClock(),
    },
    lasts: '7m',
    quietUntil: '5m',
    fires: ['WatcherSilent{severity="page"}'],
  },
  {
    about: 'WatcherSilent/page',
    title: 'the watcher exposes nothing',
    changes: { trueup_watch_looked_timestamp_seconds: vanishing(1) },
    lasts: '7m',
    fires: ['WatcherSilent{severity="page"}'],
  },
  {
    about: 'WatcherSilent/page',
    title: 'a look takes two minutes',
    changes: {
      trueup_watch_looked_timestamp_seconds: slowClock('2m'),
    },
    lasts: '10m',
    fires: never,
  },
  {
    about: 'WatcherBlind/ticket',
    title: 'holds can not be read any more',
    changes: {
      'trueup_watch_reads_total{part="holds",outcome="read"}': counter(1, 0),
      'trueup_watch_reads_total{part="holds",outcome="failed"}': counter(0, 1),
    },
    lasts: '17m',
    quietUntil: '10m',
    fires: ['WatcherBlind{part="holds",severity="ticket"}'],
  },
  {
    about: 'WatcherBlind/ticket',
    title: 'a part that has never been read',
    changes: {
      'trueup_watch_reads_total{part="space",outcome="read"}': missing(),
      'trueup_watch_reads_total{part="space",outcome="failed"}': counter(0, 1),
      trueup_watch_disk_free_ratio: missing(),
    },
    lasts: '17m',
    fires: ['WatcherBlind{part="space",severity="ticket"}'],
  },
  {
    about: 'WatcherBlind/ticket',
    title: 'every second read fails',
    changes: { 'trueup_watch_reads_total{part="books",outcome="failed"}': counter(0, 1) },
    lasts: '20m',
    fires: never,
  },
  {
    about: 'AlertPathBroken/page',
    title: 'a receiver refuses notifications',
    changes: { 'alertmanager_notifications_failed_total{integration="webhook"}': counter(0, 1) },
    lasts: '8m',
    fires: ['AlertPathBroken{severity="page"}'],
  },
  {
    about: 'AlertPathBroken/page',
    title: 'a rule can not be evaluated',
    changes: { prometheus_rule_evaluation_failures_total: counter(0, 1) },
    lasts: '8m',
    fires: ['AlertPathBroken{severity="page"}'],
  },
  {
    about: 'AlertPathBroken/page',
    title: 'a failure of last week is still counted',
    changes: { 'alertmanager_notifications_failed_total{integration="webhook"}': gauge(7) },
    lasts: '10m',
    fires: never,
  },
  {
    about: 'AlertPathBroken/page',
    title: 'Prometheus started and dropped what it had to say before it knew Alertmanager',
    changes: { prometheus_notifications_dropped_total: gauge(0, 3) },
    lasts: '10m',
    fires: never,
  },
  {
    about: 'LabelOverflow/info',
    title: 'the door counts sources as other',
    changes: { 'trueup_process_label_overflow_total{process="http"}': counter(0, 1) },
    lasts: '8m',
    fires: ['LabelOverflow{process="http",severity="info"}'],
  },
  {
    about: 'LabelOverflow/info',
    title: 'it did so before it was restarted',
    changes: { 'trueup_process_label_overflow_total{process="http"}': gauge(50, 0) },
    lasts: '10m',
    fires: never,
  },
];
