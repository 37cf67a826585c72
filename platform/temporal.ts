// Temporal's client, and the four error kinds as Temporal understands them. Retrying is Temporal's alone: `unavailable` goes back to it, `rejected`, `bug` and `conflict` end the activity at once.

import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { TrueupError } from '../domain/contracts/errors.ts';
import { traceClient } from './tracing-temporal.ts';
import { NO_TRACING, type Tracing } from './tracing.ts';

export type TemporalOptions = { readonly address: string; readonly namespace: string };

export type Temporal = { readonly client: Client; close(): Promise<void> };

/** What is started and signalled through the client carries the trace of whoever does it. */
export async function createTemporal(
  { address, namespace }: TemporalOptions,
  tracing: Tracing = NO_TRACING,
): Promise<Temporal> {
  const interceptors = await traceClient(tracing);
  const connection = await Connection.connect({ address });
  return { client: new Client({ connection, namespace, interceptors }), close: async () => connection.close() };
}

/** Connects with the first call, and again after an outage: for whoever must start while Temporal is away. */
export function createLazyTemporal({ address, namespace }: TemporalOptions): Temporal {
  // Without interceptors: the client's own would ask again for long, also after it was closed.
  const connection = Connection.lazy({ address, connectTimeout: 3_000, interceptors: [] });
  return { client: new Client({ connection, namespace }), close: async () => connection.close() };
}

/** SQLSTATE classes after which the same statement can't work: bad data, violated constraint, wrong SQL. */
const POSTGRES_BUG = /^(22|23|42)/;

/**
 * What an activity throws, as a failure Temporal acts on. The failure's type is the error code; messages stay. Unknown
 * errors are taken for passing ones, except those only our own code can cause.
 */
export function toApplicationFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const message = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error ? error : undefined;
  const because = cause === undefined ? {} : { cause };
  if (error instanceof TrueupError) {
    return ApplicationFailure.create({ message, type: error.code, nonRetryable: !error.retryable, ...because });
  }
  const own = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (own || POSTGRES_BUG.test(code)) {
    return ApplicationFailure.create({ message, type: 'INVARIANT_BROKEN', nonRetryable: true, ...because });
  }
  return ApplicationFailure.create({ message, type: 'UNKNOWN', nonRetryable: false, ...because });
}
