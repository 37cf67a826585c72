import type { Duration } from '../pace.ts';
import type { AlertCase } from './alert-cases.ts';
import { blip, gauge, restarting, vanishing } from './series.ts';

const server = (name: string) => `trueup_watch_server_up{server="${name}"}`;
const up = (name: string) => `up{job="trueup",process="${name}"}`;
const ready = (name: string) => `trueup_process_ready_up{process="${name}",check="log"}`;
const quiet = (lasts: Duration) => ({ lasts, fires: [] });

export const PLATFORM_CASES: readonly AlertCase[] = [
  {
    about: 'DependencyDown/page',
    title: 'a broker that stays away',
    every: '15s',
    changes: { [server('kafka')]: gauge(1, 0) },
    lasts: '2m',
    quietUntil: '45s',
    fires: ['DependencyDown{dependency="kafka",severity="page"}'],
  },
  {
    about: 'DependencyDown/page',
    title: 'Temporal and the database at once are two pages',
    every: '15s',
    changes: { [server('temporal')]: gauge(1, 0), [server('postgres')]: gauge(1, 0) },
    lasts: '2m',
    fires: [
      'DependencyDown{dependency="temporal",severity="page"}',
      'DependencyDown{dependency="postgres",severity="page"}',
    ],
  },
  {
    about: 'DependencyDown/page',
    title: 'a failover of half a minute',
    every: '15s',
    changes: { [server('postgres')]: blip(1, { value: 0, lasts: '30s' }) },
    ...quiet('10m'),
  },
  {
    about: 'DependencyDown/ticket',
    title: 'Stripe is away',
    every: '15s',
    changes: { [server('stripe')]: gauge(1, 0) },
    lasts: '2m',
    fires: ['DependencyDown{dependency="stripe",severity="ticket"}'],
  },
  {
    about: 'DependencyDown/ticket',
    title: 'one request to Stripe fails',
    every: '15s',
    changes: { [server('stripe')]: blip(1, { value: 0, lasts: '15s' }) },
    ...quiet('5m'),
  },
  {
    about: 'ProcessDown/page',
    title: 'the only sink does not answer',
    changes: { [up('ingest')]: gauge(1, 0) },
    lasts: '3m',
    quietUntil: '1m',
    fires: ['ProcessDown{process="ingest",severity="page"}'],
  },
  {
    about: 'ProcessDown/page',
    title: 'the watcher is not even scraped any more',
    changes: { [up('watch')]: vanishing(1) },
    lasts: '3m',
    fires: ['ProcessDown{process="watch",severity="page"}'],
  },
  {
    about: 'ProcessDown/page',
    title: 'one of two doors is replaced',
    changes: { 'up{job="trueup",process="http",instance="b"}': gauge(1, 0) },
    ...quiet('10m'),
  },
  {
    about: 'ProcessNotReady/page',
    title: 'no door reaches the log',
    changes: { [ready('http')]: gauge(1, 0) },
    lasts: '6m',
    quietUntil: '4m',
    fires: ['ProcessNotReady{process="http",check="log",severity="page"}'],
  },
  {
    about: 'ProcessNotReady/page',
    title: 'the reconcile process is not ready, though usage flows',
    changes: { 'trueup_process_ready_up{process="reconcile",check="databases"}': gauge(1, 0) },
    lasts: '6m',
    fires: ['ProcessNotReady{process="reconcile",check="databases",severity="page"}'],
  },
  {
    about: 'ProcessNotReady/page',
    title: 'one sink of two has nothing to do yet',
    changes: { 'trueup_process_ready_up{process="ingest",check="log",instance="b"}': gauge(1, 0) },
    ...quiet('10m'),
  },
  {
    about: 'ProcessRestarting/ticket',
    title: 'a sink dies every two minutes',
    changes: { 'process_start_time_seconds{process="ingest"}': restarting('2m') },
    lasts: '10m',
    fires: ['ProcessRestarting{process="ingest",severity="ticket"}'],
  },
  {
    about: 'ProcessRestarting/ticket',
    title: 'a release starts every process once',
    changes: { 'process_start_time_seconds{process="ingest"}': gauge(1, 600) },
    ...quiet('10m'),
  },
  {
    about: 'DiskNearlyFull/page',
    title: 'a twentieth of the disk is free',
    changes: { trueup_watch_disk_free_ratio: gauge(0.21, 0.05) },
    lasts: '3m',
    fires: ['DiskNearlyFull{severity="page"}'],
  },
  {
    about: 'DiskNearlyFull/page',
    title: 'a merge takes room for a moment',
    changes: { trueup_watch_disk_free_ratio: blip(0.21, { value: 0.05, lasts: '1m' }) },
    ...quiet('10m'),
  },
  {
    about: 'DiskNearlyFull/ticket',
    title: 'an eighth of the disk is free',
    changes: { trueup_watch_disk_free_ratio: gauge(0.21, 0.13) },
    lasts: '16m',
    quietUntil: '14m',
    fires: ['DiskNearlyFull{severity="ticket"}'],
  },
  {
    about: 'DiskNearlyFull/ticket',
    title: 'a little more than a fifth of the disk is free',
    changes: { trueup_watch_disk_free_ratio: gauge(0.5, 0.21) },
    ...quiet('30m'),
  },
  {
    about: 'ReplicationLag/ticket',
    title: 'a replica is 31 s behind',
    changes: { trueup_watch_replication_lag_seconds: gauge(0, 31) },
    lasts: '3m',
    fires: ['ReplicationLag{severity="ticket"}'],
  },
  {
    about: 'ReplicationLag/ticket',
    title: 'a replica is 30 s behind',
    changes: { trueup_watch_replication_lag_seconds: gauge(0, 30) },
    ...quiet('10m'),
  },
  {
    about: 'ReplicaLost/ticket',
    title: 'one of two replicas streams no more, so that nothing is behind',
    changes: { trueup_watch_streaming_replicas: gauge(2, 1) },
    lasts: '6m',
    fires: ['ReplicaLost{severity="ticket"}'],
  },
  {
    about: 'ReplicaLost/ticket',
    title: 'there has never been a replica, and later there is one',
    changes: { trueup_watch_streaming_replicas: gauge(0, 1) },
    ...quiet('10m'),
  },
  {
    about: 'ClockSkew/ticket',
    title: 'the database is three seconds behind',
    changes: { trueup_watch_clock_skew_seconds: gauge(0, -3) },
    lasts: '6m',
    fires: ['ClockSkew{severity="ticket"}'],
  },
  {
    about: 'ClockSkew/ticket',
    title: 'one look was slow and took the wait for skew',
    changes: { trueup_watch_clock_skew_seconds: blip(0, { value: 9, lasts: '1m' }) },
    ...quiet('10m'),
  },
];
