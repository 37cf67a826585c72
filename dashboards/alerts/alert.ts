// What an alert is: a row of these tables, from which the rule, its annotations, its inhibitions and its tests are made.

import type { AlertImpact, AlertSeverity, AlertTeam } from '../../domain/contracts/alert-labels.ts';
import type { WATCHED_SERVERS } from '../../domain/contracts/metrics/watch.ts';
import type { PROCESS_NAMES } from '../../domain/contracts/metrics/work.ts';
import type { Duration, Pace } from '../pace.ts';

export type Dependency = (typeof WATCHED_SERVERS)[number];
export type ProcessName = (typeof PROCESS_NAMES)[number];

/** Alerts that explain others. Burn alerts don't: what they say is a consequence, and lasts longer than its cause. */
export const CAUSES = [
  'DependencyDown',
  'ProcessDown',
  'ConsumptionStopped',
  'RollupStalled',
  'DiskNearlyFull',
] as const;

/** One of them, narrowed by what is down where it matters. */
export type Cause =
  `DependencyDown:${Dependency}` | `ProcessDown:${ProcessName}` | Exclude<(typeof CAUSES)[number], `${string}Down`>;

export type Alert = {
  /** Also the name of its runbook, dashboards/runbooks/<name>.md. Rows of one name differ in severity. */
  readonly name: string;
  readonly severity: AlertSeverity;
  readonly impact: AlertImpact;
  readonly team: AlertTeam;
  /** What is broken; may be a template over the labels of `when`. */
  readonly service: string;
  /** PromQL that answers while something is wrong, and only then; its labels stay on the alert. */
  readonly when: (pace: Pace) => string;
  readonly for: Duration;
  /** Promise: it fires at most this long after what it watches for began, as it is at its worst. */
  readonly firesWithin: Duration;
  readonly summary: string;
  /** What it means for usage and money. */
  readonly means: string;
  readonly firstStep: string;
  /** While one of these fires and until what it left behind has left the windows, this one is not told. */
  readonly explainedBy: readonly Cause[];
};

/** Servers without which usage doesn't flow from the log into the rollups. */
export const FLOW: readonly Cause[] = [
  'DependencyDown:kafka',
  'DependencyDown:clickhouse',
  'DependencyDown:postgres',
  'DependencyDown:redis',
];

/** Servers without which a month is not billed. */
export const BILLING: readonly Cause[] = [
  'DependencyDown:clickhouse',
  'DependencyDown:postgres',
  'DependencyDown:temporal',
  'DependencyDown:stripe',
];
