// The macros of Grafana's ClickHouse plugin, as far as our boards use them, expanded as the plugin expands them
// (its documentation lists macro and result side by side). Pure. An unknown macro throws.

import { toIso } from '../../../domain/period.ts';
import type { Variables } from './interpolate.ts';

export type Window = {
  readonly fromMs: number;
  readonly toMs: number;
  /** Width of a point on a chart. */
  readonly intervalMs: number;
};

const CONDITIONAL = '$__conditionalAll';

const seconds = (ms: number) => Math.floor(ms / 1000);
const dateTime = (ms: number) => `toDateTime(${seconds(ms)})`;
const dateTime64 = (ms: number) => `fromUnixTimestamp64Milli(${Math.floor(ms)})`;
const date = (ms: number) => `toDate('${toIso(ms).slice(0, 10)}')`;

const between = (column: string, { fromMs, toMs }: Window, write: (ms: number) => string) =>
  `${column} >= ${write(fromMs)} AND ${column} <= ${write(toMs)}`;

type Macro = { readonly takes: number; readonly expand: (window: Window, args: readonly string[]) => string };

const MACROS: Readonly<Record<string, Macro>> = {
  fromTime: { takes: 0, expand: ({ fromMs }) => dateTime(fromMs) },
  toTime: { takes: 0, expand: ({ toMs }) => dateTime(toMs) },
  fromTime_ms: { takes: 0, expand: ({ fromMs }) => dateTime64(fromMs) },
  toTime_ms: { takes: 0, expand: ({ toMs }) => dateTime64(toMs) },
  timeFilter: { takes: 1, expand: (window, [column = '']) => between(column, window, dateTime) },
  timeFilter_ms: { takes: 1, expand: (window, [column = '']) => between(column, window, dateTime64) },
  dateFilter: { takes: 1, expand: (window, [column = '']) => between(column, window, date) },
  timeInterval: {
    takes: 1,
    expand: ({ intervalMs }, [column = '']) =>
      `toStartOfInterval(toDateTime(${column}), INTERVAL ${Math.max(1, seconds(intervalMs))} second)`,
  },
  interval_s: { takes: 0, expand: ({ intervalMs }) => `${Math.max(1, seconds(intervalMs))}` },
};

/** Expands every macro of a statement, innermost last, so that one may stand in the argument of another. */
export function expandMacros(sql: string, window: Window): string {
  let text = sql;
  for (let at = text.lastIndexOf('$__'); at !== -1; at = text.lastIndexOf('$__')) {
    const name = /^\$__(\w+)/.exec(text.slice(at))?.[1] ?? '';
    const macro = Object.hasOwn(MACROS, name) ? MACROS[name] : undefined;
    if (macro === undefined) throw new Error(`$__${name} is no macro that is known here`);
    const end = at + 3 + name.length;
    const call = macro.takes === 0 ? { args: [], end } : readArguments(text, end);
    if (call.args.length !== macro.takes) throw new Error(`the macro $__${name} takes ${macro.takes} argument(s)`);
    text = text.slice(0, at) + macro.expand(window, call.args) + text.slice(call.end);
  }
  return text;
}

/** `$__conditionalAll(condition, $name)`: the condition, or 1=1 while everything is chosen. Comes before all else. */
export function applyConditions(sql: string, variables: Variables): string {
  let text = sql;
  for (let at = text.lastIndexOf(CONDITIONAL); at !== -1; at = text.lastIndexOf(CONDITIONAL)) {
    const { args, end } = readArguments(text, at + CONDITIONAL.length);
    const [condition = '', reference = ''] = args;
    const variable = variables.get(reference.trim().slice(1));
    if (args.length !== 2 || variable === undefined) throw new Error(`${CONDITIONAL} takes a condition and a variable`);
    text = text.slice(0, at) + (variable.all ? '1=1' : condition) + text.slice(end);
  }
  return text;
}

/** Arguments split at top-level commas; `start` is where the parenthesis opens. */
function readArguments(text: string, start: number): { args: string[]; end: number } {
  const args: string[] = [];
  let depth = 0;
  let from = start + 1;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === '(') depth += 1;
    if (character === ',' && depth === 1) {
      args.push(text.slice(from, at));
      from = at + 1;
    }
    if (character !== ')') continue;
    depth -= 1;
    if (depth === 0) return { args: [...args, text.slice(from, at)], end: at + 1 };
  }
  throw new Error(`a macro's parenthesis is not closed: ${text.slice(start, start + 40)}`);
}
