// OpenTelemetry behind tracing.ts: loaded only where tracing is on. Spans are sent in batches beside the work, over
// OTLP/HTTP. The SDK's own variables (OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS) hold as it documents them.

import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, Link, SpanContext } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { ExportResultCode, parseTraceParent, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { Resource } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Log } from './log.ts';
import { errorTypeOf, toOutgoing } from './tracing-outgoing.ts';
import { LINKS_MAX, type SpanStart, type Tracing, type TracingOptions } from './tracing.ts';

/** A collector that doesn't answer holds up a stop for so long. */
const SEND_TIMEOUT_MS = 3_000;

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, consumer: SpanKind.CONSUMER } as const;

export function createTracing(options: TracingOptions & { readonly url: string }): Tracing {
  const url = new URL('v1/traces', options.url.endsWith('/') ? options.url : `${options.url}/`).href;
  const exporter = guarded(new OTLPTraceExporter({ url, timeoutMillis: SEND_TIMEOUT_MS }), options.log);
  const spanProcessor = new BatchSpanProcessor(exporter);
  const resource = new Resource({ 'service.name': `trueup-${options.process}` });
  const provider = new BasicTracerProvider({ resource, spanProcessors: [spanProcessor] });
  const tracer = provider.getTracer('trueup');
  // Both are the process's own; where they were set before, they are these.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  return {
    sdk: { tracer, spanProcessor, resource },
    span: async (name, { kind, parent, links = [], attributes = {} }, work) => {
      const from = toParent(parent);
      const options = {
        kind: kind === undefined ? SpanKind.INTERNAL : KINDS[kind],
        links: links.slice(0, LINKS_MAX).flatMap(toLink),
        attributes: { ...attributes },
      };
      const span = tracer.startSpan(name, options, from);
      try {
        return await context.with(trace.setSpan(from, span), async () =>
          work({ set: (more) => span.setAttributes({ ...more }) }),
        );
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        span.setAttribute('error.type', errorTypeOf(error));
        throw error;
      } finally {
        span.end();
      }
    },
    traceparent: () => {
      const active = trace.getSpanContext(context.active());
      return active === undefined ? undefined : formatTraceparent(active);
    },
    // What could not be sent has been said where it was tried.
    stop: async () => provider.shutdown().catch(() => undefined),
  };
}

function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

function toParent(traceparent: SpanStart['parent']): Context {
  const remote = traceparent === undefined ? null : parseTraceParent(traceparent);
  if (remote === null) return context.active();
  return trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true });
}

function toLink(traceparent: string): Link[] {
  const remote = parseTraceParent(traceparent);
  return remote === null ? [] : [{ context: { ...remote, isRemote: true } }];
}

/** Lets out only what tracing.ts allows, and says once in a row when the collector can't be reached. */
function guarded(exporter: SpanExporter, log: Log): SpanExporter {
  let losing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans.map(toOutgoing), (result) => {
        const failed = result.code !== ExportResultCode.SUCCESS;
        if (failed && !losing) log.warn({ error: errorTypeOf(result.error) }, 'traces can not be sent and are lost');
        losing = failed;
        done(result);
      }),
    shutdown: async () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
