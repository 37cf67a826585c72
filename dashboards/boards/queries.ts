// The statements of the boards, read from their .sql files: one SELECT each, with Grafana's macros and variables.

import { readSql } from '../../platform/clickhouse.ts';

function load(name: string): string {
  return readSql(import.meta.url, `queries/${name}.sql`).trim();
}

export const QUERIES = {
  tenants: load('tenants'),
  namespaces: load('namespaces'),
  sources: load('sources'),
  closedPeriods: load('closed-periods'),
  allClosedPeriods: load('all-closed-periods'),
  newestUsage: load('newest-usage'),
  rejectedShare: load('rejected-share'),
  arrivalDelay: load('arrival-delay'),
  totalActions: load('total-actions'),
  totalStorage: load('total-storage'),
  actions: load('actions'),
  storage: load('storage'),
  namespaceUsage: load('namespace-usage'),
  apiCalls: load('api-calls'),
  eventTypes: load('event-types'),
  sourceArrivals: load('source-arrivals'),
  rejectsOverTime: load('rejects-over-time'),
  rejectReasons: load('reject-reasons'),
  newestRejects: load('newest-rejects'),
  closedAndNow: load('closed-and-now'),
  tenantClosedAndNow: load('tenant-closed-and-now'),
} as const;
