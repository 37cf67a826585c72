// What the world's Prometheus says: which alerts fire, and answers to questions.

import { untilSeen } from './soon.ts';

export type Labels = Readonly<Record<string, string>>;
type Sample = { readonly metric: Labels; readonly value: readonly [number, string] };
type Alert = { readonly labels: Labels; readonly state: 'pending' | 'firing' };

export type Prometheus = {
  /** Labels of every alert of that name, with at least these labels, that fires now. */
  firing(name: string, labels?: Labels): Promise<Labels[]>;
  /** The value of the first series; undefined when there is none. */
  ask(expression: string): Promise<number | undefined>;
  /** Resolves when the expression has an answer. */
  untilAsked(expression: string, withinMs: number): Promise<void>;
};

export function createPrometheus(url: string): Prometheus {
  const get = async (path: string) => {
    const response = await fetch(new URL(path, url));
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { data: unknown }).data;
  };
  const ask = async (expression: string) => {
    const { result } = (await get(`/api/v1/query?query=${encodeURIComponent(expression)}`)) as { result: Sample[] };
    return result[0] === undefined ? undefined : Number(result[0].value[1]);
  };
  return {
    firing: async (name, wanted = {}) => {
      const { alerts } = (await get('/api/v1/alerts')) as { alerts: Alert[] };
      return alerts
        .filter(({ state, labels }) => state === 'firing' && labels['alertname'] === name)
        .map(({ labels }) => labels)
        .filter((labels) => Object.entries(wanted).every(([label, value]) => labels[label] === value));
    },
    ask,
    untilAsked: async (expression, withinMs) => {
      await untilSeen(expression, withinMs, async () => ask(expression));
    },
  };
}
