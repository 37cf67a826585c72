import { ROOT_CONTEXT, SpanStatusCode } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { TrueupError } from '../domain/contracts/errors.ts';
import { errorTypeOf, toOutgoing } from './tracing-outgoing.ts';

const SECRET = 'sk_test_secret of cus_1';

describe('a span that leaves the process', () => {
  test('has the attributes that are allowed, the error without its message, and nothing else', () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
    const span = provider
      .getTracer('test')
      .startSpan('work', { links: [{ context, attributes: { note: SECRET } }] }, ROOT_CONTEXT);
    span.setAttributes({ 'http.route': '/v1/events', authorization: SECRET, temporalWorkflowId: 'close-2026-10' });
    span.recordException(new RangeError(SECRET));
    span.addEvent('said', { text: SECRET });
    span.setStatus({ code: SpanStatusCode.ERROR, message: SECRET });
    span.end();
    const [made] = exporter.getFinishedSpans();
    if (made === undefined) throw new Error('no span was made');
    const { resource, instrumentationLibrary, ...outgoing } = toOutgoing(made);
    expect(outgoing).toMatchObject({
      name: 'work',
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'http.route': '/v1/events', 'temporal.workflow_id': 'close-2026-10', 'error.type': 'RangeError' },
      links: [{ context }],
    });
    expect(outgoing.spanContext()).toEqual(made.spanContext());
    expect([resource, instrumentationLibrary]).toEqual([made.resource, made.instrumentationLibrary]);
    expect(JSON.stringify(outgoing)).not.toContain(SECRET);
  });

  test.each([
    [new TrueupError({ kind: 'unavailable', code: 'KAFKA_UNAVAILABLE', message: SECRET }), 'KAFKA_UNAVAILABLE'],
    [ApplicationFailure.create({ type: 'STRIPE_REJECTED', message: SECRET }), 'STRIPE_REJECTED'],
    [Object.assign(new Error(SECRET), { code: 'ECONNRESET' }), 'ECONNRESET'],
    [Object.assign(new Error(SECRET), { code: SECRET }), 'UNKNOWN'],
    [new TypeError(SECRET), 'TypeError'],
    [SECRET, 'UNKNOWN'],
  ])('tells an error by its code: case %#', (error, code) => {
    expect(errorTypeOf(error)).toBe(code);
  });
});
