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
 * objective's cases are evaluated with that objective's rules, all others with all other rules. Prometheus promises no
 * order between groups, so that a burn alert sees what is recorded now or an evaluation ago: each must do.
 */
export function createPromtoolFiles(cases: readonly AlertCase[]): readonly PromtoolFile[] {
  const sets = Map.groupBy(cases, (one) => `${sloOf(one) ?? 'other'}-${one.every ?? '30s'}`);
  return [...sets].flatMap(([name, members]) => {
    const slo = members[0] === undefined ? undefined : sloOf(members[0]);
    const groups = rulesOf(slo);
    const order = groups.map((group) => group.name);
    const file = (called: string, groupOrder: readonly string[]): PromtoolFile => ({
      name: called,
      rules: stringify({ groups }),
      tests: stringify({
        rule_files: [`${called}.rules.yaml`],
        evaluation_interval: members[0]?.every ?? '30s',
        group_eval_order: groupOrder,
        tests: members.map(toPromtoolTest),
      }),
    });
    return slo === undefined
      ? [file(name, order)]
      : [file(`${name}-recorded-before`, order), file(`${name}-recorded-after`, order.toReversed())];
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
