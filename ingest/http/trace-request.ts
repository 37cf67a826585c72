// One request as a span: continues the sender's trace and tells counts, status and code. Who sent what stays out of it.

import type { IncomingMessage } from 'node:http';
import { NO_TRACING, TRACEPARENT, type TraceAttributes, type Tracing } from '../../platform/tracing.ts';
import { answerFailure, type Answer } from './answer.ts';
import type { Facts } from './intake.ts';

export type TracedRequest = {
  readonly tracing: Tracing | undefined;
  readonly route: string;
  /** Filled in by `work`. */
  readonly facts: Facts;
};

export async function traceRequest(
  { tracing = NO_TRACING, route, facts }: TracedRequest,
  request: IncomingMessage,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const { method = '', headers } = request;
  // Node joins repeated headers of this name with commas, which no longer reads as a trace context.
  const parent = String(headers[TRACEPARENT] ?? '');
  return tracing.span(`${method} ${route}`, { kind: 'server', parent }, async (span) => {
    span.set({ 'http.request.method': method, 'http.route': route });
    try {
      const answer = await work();
      span.set(toAttributes(answer, facts));
      return answer;
    } catch (error) {
      // Who went away gets no answer.
      if (!request.destroyed || request.complete) span.set(toAttributes(answerFailure(error), facts));
      throw error;
    }
  });
}

function toAttributes({ status, code }: Answer, facts: Facts): TraceAttributes {
  const countOf = (name: string) => {
    const count = facts[name];
    return typeof count === 'number' ? count : 0;
  };
  return {
    'http.response.status_code': status,
    'trueup.code': code,
    'trueup.events': countOf('events'),
    'trueup.accepted': countOf('accepted'),
    'trueup.rejected': countOf('rejected'),
  };
}
