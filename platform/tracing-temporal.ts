// Traces through Temporal: from who starts a workflow into the workflow and its children, and from there into activities.
// The context travels in Temporal's own headers. Histories written with and without tracing replay under both: the
// interceptors add no commands.

import { createRequire } from 'node:module';
import type { ClientInterceptors } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import type { Tracing } from './tracing.ts';

type WorkerTracing = Pick<WorkerOptions, 'interceptors' | 'sinks'>;

/** For a client's `interceptors`; empty when tracing is off. */
export async function traceClient({ sdk }: Tracing): Promise<ClientInterceptors> {
  if (sdk === undefined) return {};
  const { OpenTelemetryWorkflowClientInterceptor } =
    await import('@temporalio/interceptors-opentelemetry/lib/client/index.js');
  return { workflow: [new OpenTelemetryWorkflowClientInterceptor({ tracer: sdk.tracer })] };
}

/** A module for `interceptors.workflowModules`: it is bundled with the workflows and runs in their isolate. */
export function workflowTracingModule(): string {
  return createRequire(import.meta.url).resolve('@temporalio/interceptors-opentelemetry/lib/workflow-interceptors');
}

/** For a worker's options; empty when tracing is off. Spans of a workflow are sent once, never by a replay. */
export async function traceWorker({ sdk }: Tracing): Promise<WorkerTracing> {
  if (sdk === undefined) return {};
  const [{ OpenTelemetryActivityInboundInterceptor, makeWorkflowExporter }, { trace }, { errorTypeOf }] =
    await Promise.all([
      import('@temporalio/interceptors-opentelemetry/lib/worker/index.js'),
      import('@opentelemetry/api'),
      import('./tracing-outgoing.ts'),
    ]);
  return {
    sinks: { exporter: makeWorkflowExporter(sdk.spanProcessor, sdk.resource) },
    interceptors: {
      workflowModules: [workflowTracingModule()],
      activity: [
        (activity) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(activity, { tracer: sdk.tracer }) }),
        () => ({
          inbound: {
            // Inside the span: the interceptor itself knows a failure's class, and we want its code.
            execute: async (input, next) =>
              next(input).catch((error: unknown) => {
                trace.getActiveSpan()?.setAttribute('error.type', errorTypeOf(error));
                throw error;
              }),
          },
        }),
      ],
    },
  };
}
