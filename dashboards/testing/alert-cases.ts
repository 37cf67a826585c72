// What makes an alert fire, and what looks like it and must not. A case is a world that is healthy for a while and then
// changes; promtool evaluates all rules over it, so that a case also says what else keeps quiet.

import { stringify } from 'yaml';
import { toSeconds, type Duration } from '../pace.ts';
import { createRules, type RuleGroup } from '../prometheus/rules.ts';
import { SLO_LIST } from '../slo/list.ts';
import { HEALTHY, type World } from './healthy.ts';

export type AlertCase = {
  /** Name and severity. */
  readonly about: `${string}/${'page' | 'ticket' | 'info'}`;
  readonly title: string;
  readonly changes: World;
  readonly healthyFor?: Duration;
  /** How long it is looked at after the change; a firing case fires at the end of it, and all its `fires` do. */
  readonly lasts: Duration;
  /** Alerts at the end, as PromQL writes labels, and no others; none: it must never fire. */
  readonly fires: readonly string[];
  /** Until then nothing may have fired. */
  readonly quietUntil?: Duration;
  /** Between two scrapes and two evaluations. */
  readonly every?: Duration;
};

/** Labels by which cases tell alerts apart. */
const LABELS = 'alertname, severity, dependency, process, check, kind, slo, step, code, workflow, queue, stops, part';
const FIRING = 'ALERTS{alertstate="firing",alertname!~"Watchdog|OutageSettling"}';

/** One test group of promtool. */
export function toPromtoolTest(one: AlertCase): unknown {
  const every = one.every ?? '30s';
  const step = toSeconds(every);
  const [before, after] = [toSeconds(one.healthyFor ?? '5m'), toSeconds(one.lasts)];
  const scrapes = { before: before / step, after: after / step + 1, everySeconds: step };
  const at = (seconds: number) => `${seconds}s`;
  const never = (until: number) => ({
    expr: `count by (${LABELS}) (max_over_time(${FIRING}[${until}s]))`,
    eval_time: at(until),
    exp_samples: [],
  });
  return {
    name: `${one.about}: ${one.title}`,
    interval: every,
    input_series: Object.entries({ ...HEALTHY, ...one.changes }).map(([series, story]) => ({
      series,
      values: story(scrapes),
    })),
    promql_expr_test:
      one.fires.length === 0
        ? [never(before + after)]
        : [
            never(before + toSeconds(one.quietUntil ?? '0s')),
            {
              expr: `count by (${LABELS}) (${FIRING})`,
              eval_time: at(before + after),
              exp_samples: one.fires.map((alert) => ({ labels: toLabels(alert), value: 1 })),
            },
          ],
  };
}

/** `Name{a="b"}` as `{alertname="Name",a="b"}`. */
function toLabels(alert: string): string {
  const [name = '', rest = '}'] = alert.split('{');
  return `{alertname="${name}"${rest === '}' ? '' : ','}${rest}`;
}

export type PromtoolFile = { readonly name: string; readonly rules: string; readonly tests: string };

/**
 * Files for `promtool test rules`. promtool has one evaluation interval for a file, and windows of days cost it most: an
 * objective's cases are evaluated with that objective's rules, all others with all other rules.
 */
export function createPromtoolFiles(cases: readonly AlertCase[]): readonly PromtoolFile[] {
  const sets = Map.groupBy(cases, (one) => `${sloOf(one) ?? 'other'}-${one.every ?? '30s'}`);
  return [...sets].map(([name, members]) => {
    const slo = members[0] === undefined ? undefined : sloOf(members[0]);
    const tests = {
      rule_files: [`${name}.rules.yaml`],
      evaluation_interval: members[0]?.every ?? '30s',
      tests: members.map(toPromtoolTest),
    };
    return { name, rules: stringify({ groups: rulesOf(slo) }), tests: stringify(tests) };
  });
}

function sloOf({ about }: AlertCase): string | undefined {
  return SLO_LIST.find(({ alert }) => about.startsWith(`${alert.name}/`))?.name;
}

function rulesOf(slo: string | undefined): readonly RuleGroup[] {
  const names = new Set(SLO_LIST.map(({ alert }) => alert.name));
  const concerns = (rule: RuleGroup['rules'][number]) => {
    if ('alert' in rule) return slo === undefined ? !names.has(rule.alert) : rule.expr.includes(`slo="${slo}"`);
    // No alert looks at what is recorded for boards.
    return rule.labels !== undefined && rule.labels.slo === slo;
  };
  return createRules().map((group) => ({ ...group, rules: group.rules.filter(concerns) }));
}
