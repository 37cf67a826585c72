// What of a span leaves the process, whoever made it: libraries put messages, stacks and names of their own into spans.
// Pure.

import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { TrueupError } from '../domain/contracts/errors.ts';
import { TRACE_ATTRIBUTES } from './tracing.ts';

const ALLOWED: ReadonlySet<string> = new Set(TRACE_ATTRIBUTES);
/** Names that Temporal's interceptors and its workflow isolate use. */
const RENAMED: Readonly<Record<string, (typeof TRACE_ATTRIBUTES)[number]>> = {
  temporalWorkflowId: 'temporal.workflow_id',
  workflowId: 'temporal.workflow_id',
};
const CODE = /^\w{1,64}$/;

/** A copy with the allowed attributes only; an exception that was recorded leaves its type behind and nothing else. */
export function toOutgoing(span: ReadableSpan): ReadableSpan {
  return {
    name: span.name,
    kind: span.kind,
    spanContext: () => span.spanContext(),
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    startTime: span.startTime,
    endTime: span.endTime,
    duration: span.duration,
    ended: span.ended,
    status: { code: span.status.code },
    attributes: { ...errorOf(span), ...allowedOf(span.attributes) },
    links: span.links.map(({ context }) => ({ context })),
    events: [],
    resource: span.resource,
    instrumentationLibrary: span.instrumentationLibrary,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function allowedOf(attributes: Attributes): Attributes {
  const named = Object.entries(attributes).map(([name, value]) => [RENAMED[name] ?? name, value] as const);
  return Object.fromEntries(named.filter(([name]) => ALLOWED.has(name)));
}

function errorOf({ events }: ReadableSpan): Attributes {
  const type = events.map(({ attributes }) => attributes?.['exception.type']).find((one) => one !== undefined);
  return type === undefined ? {} : { 'error.type': toCode(type) };
}

/** Of our errors and Temporal's failures the code, of Node's their code, of others the class; never a message. */
export function errorTypeOf(error: unknown): string {
  if (error instanceof TrueupError) return error.code;
  if (!(error instanceof Error)) return 'UNKNOWN';
  if ('type' in error && typeof error.type === 'string') return toCode(error.type);
  if ('code' in error && error.code !== undefined) return toCode(error.code);
  return toCode(error.name);
}

function toCode(value: unknown): string {
  const text = String(value);
  return CODE.test(text) ? text : 'UNKNOWN';
}
