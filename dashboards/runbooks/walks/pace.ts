// How fast a walk's rules live, and by when an alert must fire.

import { stringify } from 'yaml';
import { ALERTS } from '../../alerts/list.ts';
import { createPace, toSeconds, type Duration } from '../../pace.ts';
import { createRules, type RuleGroup } from '../../prometheus/rules.ts';

/** A minute takes a second. */
export const SPEED = 60;

/**
 * What looks back over days or six hours would still be too long. Starts of a process take as long as they take, and several
 * must fit into the window. An objective's recorded ratios go with its alert.
 */
const SPEEDS: Readonly<Record<string, number>> = {
  HoldForgotten: 8_640,
  ReconciliationAgeBurn: 360,
  ProcessRestarting: 20,
};
const SLO_SPEEDS: Readonly<Record<string, number>> = { 'reconciliation-age': 360 };

/** What does not shrink with the rules: looks, scrapes and evaluations a second apart, on a machine that is busy. */
const FIXED_MS = 10_000;
/** A look takes 9 s when a server hangs: one is under way, one sees it, and a rate needs one more. */
const HANGING_MS = 27_000;

export type Promised = { readonly within: Duration; readonly allowedMs: number };

export type Asked = {
  readonly alert: string;
  readonly severity: string | undefined;
  readonly looksHang: boolean;
  readonly slowerByMs: number;
};

/** Of the alert's rule with that severity, or its only one. */
export function promiseOf({ alert, severity, looksHang, slowerByMs }: Asked): Promised {
  const row = ALERTS.find(({ name, ...one }) => name === alert && (severity ?? one.severity) === one.severity);
  if (row === undefined) throw new Error(`there is no alert ${alert} of severity ${severity ?? 'any'}`);
  const { firesWithin } = row;
  const scaledMs = (toSeconds(firesWithin) * 1_000) / (SPEEDS[alert] ?? SPEED);
  return { within: firesWithin, allowedMs: scaledMs + slowerByMs + (looksHang ? HANGING_MS : FIXED_MS) };
}

type Rule = RuleGroup['rules'][number];

function speedOf(rule: Rule): number {
  const speed = 'alert' in rule ? SPEEDS[rule.alert] : SLO_SPEEDS[rule.labels?.slo ?? ''];
  return speed ?? SPEED;
}

export function renderWalkRules(): string {
  const speeds = [SPEED, ...new Set(Object.values(SPEEDS))];
  const groups = speeds.flatMap((speed) =>
    createRules({ pace: createPace(speed) }).map((group) => ({
      ...group,
      name: `${group.name} at ${speed}`,
      rules: group.rules.filter((rule) => speedOf(rule) === speed),
    })),
  );
  return stringify({ groups: groups.filter(({ rules }) => rules.length > 0) }, { lineWidth: 0 });
}
