// What the continuous proof can find: a closed list, each with the promise it breaks, what it means and what to do.

export const FINDING_KINDS = [
  'BLOCK_GAP',
  'BLOCK_MISSING',
  'BLOCK_COUNT',
  'PART_LOST',
  'TRUTH_MISSING',
  'TRUTH_ALTERED',
  'ROLLUP_ALTERED',
  'CONFLICTING_COPIES',
  'SOURCE_SHORT',
  'MANIFEST_SHORT',
  'MANIFEST_MISSING',
  'SOURCE_SILENT',
] as const;

export type FindingKind = (typeof FINDING_KINDS)[number];

export type FindingRule = {
  readonly promise: 'I1' | 'I2' | 'I3' | 'S0';
  readonly meaning: string;
  readonly next: string;
  /** True when a write in flight can't look like this, so that one sight is enough. */
  readonly certain: boolean;
  /**
   * True: while one is open, nothing is closed or adjusted. Truth, block log or rollups lack something or hold what nobody
   * sent, so a total would be wrong without looking so, and could never be computed again once the damage is mended.
   * False: what arrived is counted right, and the reconciliation has breaks for the rest. A source that announced more than
   * it sent must not hold up everybody's invoices; conflicting copies are settled by the close itself.
   */
  readonly stopsClose: boolean;
};

export const FINDING_RULES: Readonly<Record<FindingKind, FindingRule>> = {
  BLOCK_GAP: {
    promise: 'I1',
    meaning: 'a stretch of a partition has no block record although a later one has',
    next: 'stop the sinks, run "trueup integrity reread" from before the gap and start them; what is stored already counts once',
    certain: false,
    stopsClose: true,
  },
  BLOCK_MISSING: {
    promise: 'I1',
    meaning: 'rows are stored behind the last block record of their partition',
    next: 'stop the sinks, run "trueup integrity reread" from before the end of the block log and start them',
    certain: false,
    stopsClose: true,
  },
  BLOCK_COUNT: {
    promise: 'I1',
    meaning: 'a block says it read another number of messages than its range holds',
    next: 'compare the range with the log; stop the sinks, run "trueup integrity reread" from before it and start them',
    certain: true,
    stopsClose: true,
  },
  PART_LOST: {
    promise: 'I1',
    meaning: 'the engine can no longer read a part of a table',
    next: 'see that the disk has room, stop the sinks, run "trueup integrity restore" and start them again',
    certain: true,
    stopsClose: true,
  },
  TRUTH_MISSING: {
    promise: 'I1',
    meaning: 'a block touched a minute in which the truth holds no event',
    next: 'stop the sinks, run "trueup integrity reread" from before the block and start them: the rows are still in the log',
    certain: false,
    stopsClose: true,
  },
  TRUTH_ALTERED: {
    promise: 'I3',
    meaning: 'the rollups agree with each other but not with the truth: rows were deleted, added or changed there',
    next: 'run "trueup period explain" for the month; then stop the sinks, run "trueup integrity reread" and start them',
    certain: false,
    stopsClose: true,
  },
  ROLLUP_ALTERED: {
    promise: 'I3',
    meaning: 'minutes, hours and days do not agree: a rollup was changed by something that is not the rollup worker',
    next: 'stop the sinks, run "trueup integrity reread" from before the window and start them: it is rolled up again',
    certain: false,
    stopsClose: true,
  },
  CONFLICTING_COPIES: {
    promise: 'I2',
    meaning: 'a source sent one identity with different contents; the first copy is billed',
    next: 'tell the source: an id must never be used twice',
    certain: true,
    stopsClose: false,
  },
  SOURCE_SHORT: {
    promise: 'S0',
    meaning: 'the source says it produced more than arrived',
    next: 'ask the source to send the hour again; copies count once',
    certain: true,
    stopsClose: false,
  },
  MANIFEST_SHORT: {
    promise: 'S0',
    meaning: 'more arrived than the source says it produced',
    next: 'ask the source for a new revision of the manifest, or who else sends under its name',
    certain: true,
    stopsClose: false,
  },
  MANIFEST_MISSING: {
    promise: 'S0',
    meaning: 'usage arrived from a source that sent no manifest for the hour',
    next: 'ask the source for its manifest',
    certain: true,
    stopsClose: false,
  },
  SOURCE_SILENT: {
    promise: 'S0',
    meaning: 'a source that sent before sends neither usage nor manifests any more',
    next: 'see whether the source runs and reaches the brokers',
    certain: true,
    stopsClose: false,
  },
};
