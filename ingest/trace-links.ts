// Which traces the records of a batch carry on. Only asked while tracing is on: it looks at the headers of every record.

import { LoggedRecord } from '../platform/kafka-record.ts';
import type { LogRecords } from '../platform/kafka.ts';
import { LINKS_MAX, TRACEPARENT } from '../platform/tracing.ts';

/** The distinct trace contexts of the records in their order, as many as a span links to. */
export function readTraces(records: LogRecords): string[] {
  const found = new Set<string>();
  let last: string | undefined;
  for (const record of records) {
    // Events of one request mostly lie together.
    const traceparent = record instanceof LoggedRecord ? record.header(TRACEPARENT, last) : undefined;
    if (traceparent === undefined || traceparent === last) continue;
    last = traceparent;
    found.add(traceparent);
    if (found.size === LINKS_MAX) break;
  }
  return [...found];
}
