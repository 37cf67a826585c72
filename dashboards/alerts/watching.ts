// Alerts about watching itself. A gauge that could not be read disappears, so silence is asked for by name.

import { CAUSES, FLOW, type Alert } from './alert.ts';

const watching = { impact: 'watching', team: 'platform' } as const;

export const WATCHING_ALERTS: readonly Alert[] = [
  {
    ...watching,
    name: 'WatcherSilent',
    severity: 'page',
    service: 'watch',
    when: ({ seconds }) =>
      `absent(trueup_watch_looked_timestamp_seconds) or time() - max(trueup_watch_looked_timestamp_seconds) > ${seconds('3m')}`,
    for: '3m',
    firesWithin: '7m',
    summary: 'The watcher has not finished a look',
    means:
      'Nobody knows whether usage flows, whether servers answer or whether the books agree; most alerts can not fire.',
    firstStep: 'See whether the watcher runs and what it hangs on.',
    explainedBy: ['ProcessDown:watch'],
  },
  {
    ...watching,
    name: 'WatcherBlind',
    severity: 'ticket',
    service: 'watch',
    // Looked at, and not once with success. `unless` also holds for a part that has never been read.
    when: ({ duration }) => {
      const looks = (outcome: string) =>
        `sum by (part) (increase(trueup_watch_reads_total${outcome}[${duration('10m')}])) > 0`;
      return `${looks('')} unless ${looks('{outcome="read"}')}`;
    },
    for: '5m',
    firesWithin: '17m',
    summary: 'The watcher can not read “{{ $labels.part }}”',
    means: 'Alerts over this part can not fire. Objectives count what is not known as broken.',
    firstStep: 'Read the watcher’s log for this part: the server answers, the question fails.',
    explainedBy: [...FLOW, 'DependencyDown:temporal', 'DependencyDown:stripe', 'ProcessDown:watch'],
  },
  {
    ...watching,
    name: 'AlertPathBroken',
    severity: 'page',
    service: 'alerting',
    // Shorter windows than the wait: a restart drops a few and is no fault. What Alertmanager gives up is lost each time.
    when: ({ duration }) =>
      [
        `sum(increase(prometheus_rule_evaluation_failures_total[${duration('3m')}])) > 0`,
        `sum(increase(prometheus_notifications_dropped_total[${duration('3m')}])) > 0`,
        `sum(increase(alertmanager_notifications_failed_total[${duration('10m')}])) > 0`,
      ].join(' or '),
    for: '5m',
    firesWithin: '8m',
    summary: 'Rules can not be evaluated, or notifications do not arrive',
    means: 'Some of what should be told is not. This page came through, another receiver may be the broken one.',
    firstStep: 'Read the logs of Prometheus and Alertmanager: each failure names the rule or the receiver.',
    explainedBy: [],
  },
  {
    ...watching,
    name: 'LabelOverflow',
    severity: 'info',
    service: '{{ $labels.process }}',
    when: ({ duration }) => `sum by (process) (increase(trueup_process_label_overflow_total[${duration('1h')}])) > 0`,
    for: '5m',
    firesWithin: '8m',
    summary: '{{ $labels.process }} counts values as “other” because their label is full',
    means: 'Totals are right, the breakdown is not. Usually a new value that the registry does not know.',
    firstStep: 'Compare the label’s values with domain/contracts/metrics.',
    explainedBy: [],
  },
  {
    ...watching,
    name: 'OutageSettling',
    severity: 'info',
    service: 'alerting',
    // Windows of half an hour remember an outage for half an hour after it. Told to nobody: it holds back what the outage
    // explains, and tenants' alerts, until the windows are clean.
    when: ({ duration }) => {
      const firing = 'alertstate="firing"';
      const causes = [
        `ALERTS{${firing},alertname=~"${CAUSES.join('|')}",severity="page"}`,
        `ALERTS{${firing},alertname="DependencyDown"}`,
      ];
      const recent = causes.map((alerts) => `max_over_time(${alerts}[${duration('35m')}])`).join(' or ');
      const named = `label_replace(${recent}, "outage", "$1", "alertname", "(.*)")`;
      return `max by (outage, dependency, process, harms) (label_replace(${named}, "harms", "$1", "impact", "(.*)"))`;
    },
    for: '0s',
    firesWithin: '1m',
    summary: '{{ $labels.outage }} fires, or did within the last 35 minutes',
    means: 'What it explains is held back for that long. An alert that still fires afterwards is told then.',
    firstStep: 'Nothing to do; look at the alert it names.',
    explainedBy: [],
  },
  {
    ...watching,
    name: 'Watchdog',
    severity: 'info',
    service: 'alerting',
    when: () => 'vector(1)',
    for: '0s',
    firesWithin: '1m',
    summary: 'Alerts arrive',
    means:
      'It always fires. Whoever receives it pages when it stays away: then Prometheus, Alertmanager or the way between is broken.',
    firstStep: 'Nothing to do while it arrives.',
    explainedBy: [],
  },
];
