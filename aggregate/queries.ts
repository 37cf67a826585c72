// The room's queries, read once from their .sql files. `(counted_events)` stands for the one definition of what counts,
// `(counted_events_of_source)` for the same of one source, `(in_shard)` for the namespaces of one shard of the rollup.

import { readSql } from '../platform/clickhouse.ts';

const countedEvents = readSql(import.meta.url, 'queries/counted-events.sql')
  .replace(/^--.*$/gm, '')
  .trim();

const IN_SHARD = '({shards:UInt32} = 1 OR cityHash64(namespace) % {shards:UInt32} = {shard:UInt32})';

function load(name: string): string {
  return readSql(import.meta.url, `queries/${name}.sql`)
    .replaceAll('(counted_events)', `(\n${countedEvents}\n)`)
    .replaceAll('(counted_events_of_source)', `(\n${countedEvents}\n  AND source = {source:String}\n)`)
    .replaceAll('(in_shard)', IN_SHARD);
}

export const QUERIES = {
  touchedMinutes: load('touched-minutes'),
  correctedMinutes: load('corrected-minutes'),
  freshUsage: load('fresh-usage'),
  usageOfMinutes: load('usage-of-minutes'),
  windowsOfMinutes: load('windows-of-minutes'),
  rollUpMinutes: load('roll-up-minutes'),
  rollUpHours: load('roll-up-hours'),
  rollUpDays: load('roll-up-days'),
  findConflicts: load('find-conflicts'),
  markConflicts: load('mark-conflicts'),
  conflictDigest: load('conflict-digest'),
  closeHours: load('close-hours'),
  emptyVanishedHours: load('empty-vanished-hours'),
  closedDigests: load('closed-digests'),
  recomputedDigests: load('recomputed-digests'),
  rollupMismatches: load('rollup-mismatches'),
  grainMismatches: load('grain-mismatches'),
  accountDays: load('account-days'),
  accountHours: load('account-hours'),
  namespaceHours: load('namespace-hours'),
  topAccounts: load('top-accounts'),
  periodTotals: load('period-totals'),
  closedHoursOfAccount: load('closed-hours-of-account'),
  closedHoursOfAccounts: load('closed-hours-of-accounts'),
  closedTotals: load('closed-totals'),
  lateTotals: load('late-totals'),
  ingestCounts: load('ingest-counts'),
  rejectedCounts: load('rejected-counts'),
  adjustmentDeltas: load('adjustment-deltas'),
  firstCopies: load('first-copies'),
  recountedDigests: load('recounted-digests'),
  copyTruth: load('copy-truth'),
  truthCount: load('truth-count'),
  conflictCount: load('conflict-count'),
  archiveEvents: load('archive-events'),
  archiveConflicts: load('archive-conflicts'),
  partitionSizes: load('partition-sizes'),
  standingParts: load('standing-parts'),
  partsSetAside: load('parts-set-aside'),
  dirtyDays: load('dirty-days'),
  storedBeyond: load('stored-beyond'),
  storedBetween: load('stored-between'),
  missingMinutes: load('missing-minutes'),
  markCount: load('mark-count'),
  sampledMarks: load('sampled-marks'),
  sampledMinutes: load('sampled-minutes'),
  sampledGrains: load('sampled-grains'),
  rolledHours: load('rolled-hours'),
  conflictingSources: load('conflicting-sources'),
  sourceHours: load('source-hours'),
  countedTwice: load('counted-twice'),
  rejectedWithin: load('rejected-within'),
  sourceAccountHours: load('source-account-hours'),
  silentSources: load('silent-sources'),
  announcedEvents: load('announced-events'),
  manifestEvents: load('manifest-events'),
  eventsOfDay: load('events-of-day'),
  eventsOfHour: load('events-of-hour'),
  copiesOfEvent: load('copies-of-event'),
  periodRecords: load('period-records'),
  recordPeriod: load('record-period'),
  newestRun: load('newest-run'),
  accountsSince: load('accounts-since'),
} as const;
