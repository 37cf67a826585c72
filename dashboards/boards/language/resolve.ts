// From a panel's query to what a server can answer: macros, variables and Grafana's own names filled in. Pure.

import { clickhouseFormat, interpolate, prometheusFormat, type Variable, type Variables } from './interpolate.ts';
import { applyConditions, expandMacros, type Window } from './macros.ts';

export const INTERVALS_MS = [
  ...[1, 2, 5, 10, 15, 20, 30].map((seconds) => seconds * 1_000),
  ...[1, 2, 5, 10, 15, 20, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 3, 6, 12, 24].map((hours) => hours * 3_600_000),
] as const;

/** The width of a point: the narrowest round one that gives at most so many points and is not below the smallest. */
export function computeIntervalMs(rangeMs: number, points: number, smallestMs: number): number {
  const wanted = Math.max(rangeMs / points, smallestMs);
  return INTERVALS_MS.find((interval) => interval >= wanted) ?? 86_400_000;
}

const one = (value: string): Variable => ({ values: [value], multi: false, all: false });

/** `scrapeMs`: how often Prometheus scrapes, which Grafana learns from its data source. */
export function resolvePromql(text: string, variables: Variables, window: Window & { scrapeMs: number }): string {
  const { fromMs, toMs, intervalMs, scrapeMs } = window;
  const rangeSeconds = Math.max(1, Math.round((toMs - fromMs) / 1_000));
  const rateMs = Math.max(intervalMs + scrapeMs, 4 * scrapeMs);
  const own: [string, Variable][] = [
    ['__interval', one(`${intervalMs}ms`)],
    ['__rate_interval', one(`${rateMs}ms`)],
    ['__range', one(`${rangeSeconds}s`)],
  ];
  return interpolate(text, new Map([...variables, ...own]), prometheusFormat);
}

/** Macros first: an account that is called like one is then only an account. */
export function resolveSql(text: string, variables: Variables, window: Window): string {
  const withoutComments = text.replace(/^--.*$/gm, '');
  return interpolate(
    expandMacros(applyConditions(withoutComments, variables), window),
    variables,
    clickhouseFormat,
  ).trim();
}
