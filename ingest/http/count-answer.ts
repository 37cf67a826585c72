// What the door counts of an answer. Sources are named only where they were limited, because everything else about them is
// in the log lines and in the store.

import { codeClassOf, type HTTP_ROUTES } from '../../domain/contracts/metrics/ingest.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Answer } from './answer.ts';
import type { Budget } from './budget.ts';

type Route = (typeof HTTP_ROUTES)[number];

export type Answered = Pick<Answer, 'status' | 'code'> & {
  readonly path: string;
  readonly source: unknown;
  readonly durationMs: number;
};

const ROUTES: Readonly<Record<string, Route>> = {
  '/v1/events': 'events',
  '/v1/manifests': 'manifests',
  '/health': 'health',
};

export function countAnswer(
  { metrics, budget }: { readonly metrics: Metrics; readonly budget: Budget },
  { path, source, status, code, durationMs }: Answered,
): void {
  const route = ROUTES[path] ?? 'other';
  metrics.count('trueup_http_requests_total', { route, code_class: codeClassOf(status) });
  metrics.record('trueup_http_request_seconds', { route }, durationMs / 1_000);
  metrics.count('trueup_http_answers_total', { code });
  metrics.record('trueup_http_in_flight_bytes', {}, budget.reservedBytes);
  if (code === 'RATE_LIMITED' && typeof source === 'string') {
    metrics.count('trueup_http_source_limited_total', { source });
  }
}
