// What Temporal says of itself, for whoever judges an installation. Each question is asked once and within a deadline: the
// client's own way is to ask again for long, also after it was closed.

import { Connection, isGrpcServiceError } from '@temporalio/client';
import type { TemporalOptions } from './temporal.ts';

export type TemporalInspection = {
  fetchServerVersion(): Promise<string>;
  /** False when there is no such namespace, or none for us. */
  hasNamespace(): Promise<boolean>;
  close(): Promise<void>;
};

const WITHIN_MS = 6_000;
/** NOT_FOUND and PERMISSION_DENIED of gRPC. */
const NOT_OURS: readonly number[] = [5, 7];

export function openTemporalInspection({ address, namespace }: TemporalOptions): TemporalInspection {
  const connection = Connection.lazy({ address, connectTimeout: WITHIN_MS, interceptors: [] });
  const ask = async <T>(question: () => Promise<T>) => connection.withDeadline(Date.now() + WITHIN_MS, question);
  return {
    fetchServerVersion: async () => ask(async () => (await connection.workflowService.getSystemInfo({})).serverVersion),
    hasNamespace: async () => {
      try {
        await ask(async () => connection.workflowService.describeNamespace({ namespace }));
        return true;
      } catch (error) {
        if (isGrpcServiceError(error) && NOT_OURS.includes(error.code)) return false;
        throw error;
      }
    },
    close: async () => connection.close(),
  };
}
