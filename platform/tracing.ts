// Traces of one process, for whoever follows a request through the stages. Off unless a collector's address is given, and
// then nothing is loaded, no span is made and no header is written.
// What may leave the process is decided here: the attributes below and no others. Errors are told by their code; messages,
// stacks, keys, events, quantities and names of accounts stay.
// When the collector is away its spans are lost and nothing waits for it. When the process dies, spans of its last seconds
// die with it, which is why no promise relies on one.

import type { Tracer } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Log } from './log.ts';

/** After OpenTelemetry's semantic conventions where they know the thing; counts are of events, blocks or hours. */
export const TRACE_ATTRIBUTES = [
  'error.type',
  'http.request.method',
  'http.response.status_code',
  'http.route',
  'messaging.batch.message_count',
  'messaging.system',
  'server.address',
  'stripe.request_id',
  'temporal.workflow_id',
  'trueup.accepted',
  'trueup.blocks',
  'trueup.code',
  'trueup.events',
  'trueup.hours',
  'trueup.rejected',
  'url.template',
] as const;

export type TraceAttributes = { readonly [Name in (typeof TRACE_ATTRIBUTES)[number]]?: string | number };

export type SpanStart = {
  readonly kind?: 'server' | 'client' | 'consumer';
  /** W3C traceparent of a caller elsewhere; one that can't be read is none. Left out: what is at work here. */
  readonly parent?: string | undefined;
  /** W3C traceparents of what is carried on here; the first 32 are kept. */
  readonly links?: readonly string[];
  readonly attributes?: TraceAttributes;
};

export type Span = { set(attributes: TraceAttributes): void };

/** What spans that were made elsewhere, in the isolate of a workflow, go through like all others. */
export type TracingSdk = {
  readonly tracer: Tracer;
  readonly spanProcessor: SpanProcessor;
  readonly resource: Resource;
};

export type Tracing = {
  /** Undefined: tracing is off. To be asked before collecting what only a span would need. */
  readonly sdk: TracingSdk | undefined;
  /** Runs `work` as a span, which ends with it. What `work` throws is recorded by its code and goes on. */
  span<Result>(name: string, start: SpanStart, work: (span: Span) => Promise<Result>): Promise<Result>;
  /** W3C traceparent of the span at work here, to be carried elsewhere; undefined when there is none. */
  traceparent(): string | undefined;
  /** Sends what is left, for a few seconds at most. */
  stop(): Promise<void>;
};

export const TRACEPARENT = 'traceparent';
export const LINKS_MAX = 32;

const NO_SPAN: Span = { set: () => undefined };

export const NO_TRACING: Tracing = {
  sdk: undefined,
  span: async (_name, _start, work) => work(NO_SPAN),
  traceparent: () => undefined,
  stop: async () => Promise.resolve(),
};

export type TracingOptions = {
  /** Base of an OTLP/HTTP endpoint, such as http://127.0.0.1:4318; undefined: off. */
  readonly url: string | undefined;
  /** Which program it is: its spans belong to the service `trueup-<process>`. */
  readonly process: string;
  readonly log: Log;
};

export async function startTracing({ url, ...options }: TracingOptions): Promise<Tracing> {
  if (url === undefined) return NO_TRACING;
  const { createTracing } = await import('./tracing-otlp.ts');
  return createTracing({ url, ...options });
}
