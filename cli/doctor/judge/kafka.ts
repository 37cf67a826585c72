// The broker's protocol against the one our client speaks, and how far the consumer groups have read. Pure.

import type { ApiVersions } from '../../../platform/kafka-versions.ts';
import type { GroupFacts } from '../../../platform/kafka-topics.ts';
import { ok, problem, unknown, warning, type Finding } from '../finding.ts';

/** Highest versions of the requests we send that kafkajs 2.2 speaks. It sends them even to a broker that has given them up. */
const SPOKEN: Readonly<Record<string, { readonly key: number; readonly version: number }>> = {
  Produce: { key: 0, version: 7 },
  Fetch: { key: 1, version: 11 },
  ListOffsets: { key: 2, version: 3 },
  Metadata: { key: 3, version: 6 },
  OffsetCommit: { key: 8, version: 5 },
  OffsetFetch: { key: 9, version: 4 },
  FindCoordinator: { key: 10, version: 2 },
  JoinGroup: { key: 11, version: 5 },
  Heartbeat: { key: 12, version: 3 },
  LeaveGroup: { key: 13, version: 3 },
  SyncGroup: { key: 14, version: 3 },
};

/** ListTransactions came with Kafka 3.0. */
const SINCE_3_0 = 66;

/** Brokers don't say their version; the requests they take tell which it is at least. */
export function judgeApis(apis: ApiVersions): Finding[] {
  const check = 'protocol';
  if (apis.size === 0) return [unknown(check, 'the broker lists no requests', 'see that it is Kafka 3.0 or later')];
  const given = Object.entries(SPOKEN).flatMap(([name, { key, version }]) => {
    const range = apis.get(key);
    return range !== undefined && range.min <= version ? [] : [name];
  });
  if (given.length > 0) {
    return [
      problem(check, `it no longer takes ${given.join(', ')} as we send it`, 'use Kafka 4.1, which our tests run on'),
    ];
  }
  if (!apis.has(SINCE_3_0)) return [problem(check, 'it is older than Kafka 3.0', 'upgrade to Kafka 3.0 or later')];
  return [ok(check, 'Kafka 3.0 or later, and it takes every request as we send it')];
}

export function judgeGroup(group: string, { members, committed, lag }: GroupFacts): Finding {
  const check = `group ${group}`;
  const next = 'start an ingest process, or see its log';
  if (!committed && lag > 0n) return warning(check, `has never committed, and ${lag} records wait`, next);
  if (members === 0) return warning(check, `nobody reads; ${lag} records wait`, next);
  return ok(check, `${members} members, ${lag} records wait`);
}
