// What the close workflows and their activities say to each other. Payloads stay small: accounts and amounts stand in
// Postgres, workflows carry names and counts.

export const TASK_QUEUE = 'trueup-reconcile';

export type CloseInput = { readonly periodKey: string };

export type RunInput = { readonly run: string; readonly periodKey: string };

export type AccountInput = RunInput & { readonly account: string };

export type BatchInput = RunInput & { readonly batch: number };

export type BatchRunInput = BatchInput & { readonly simulated: boolean };

/** A page of accounts; null begins with the first. */
export type OpenHoursInput = { readonly after: string | null };

/** The last account of the page, null when there are no more. */
export type OpenHoursPage = { readonly last: string | null; readonly hours: number; readonly failed: number };

export type OpenedRun = {
  readonly batches: number;
  readonly batchSize: number;
  readonly accounts: number;
  /** Business clock mode: a simulated clock wakes waiting workflows by signal, a real one by timers. */
  readonly simulated: boolean;
  /** Business times, epoch ms. */
  readonly claimUntilMs: number;
  readonly graceEndsAtMs: number;
  readonly lateEndsAtMs: number;
};

export type CloseStage = 'claiming' | 'grace' | 'closing' | 'billing' | 'late' | 'reporting' | 'done';

export type CloseProgress = {
  readonly stage: CloseStage;
  readonly accountsDone: number;
  readonly accountsTotal: number;
};

export type CloseResult = { readonly run: string; readonly reportHash: string; readonly verdict: 'clean' | 'breaks' };

/** Activities as the workflows see them. Each may run again after any death and then changes nothing more. */
export type Activities = {
  readClock(): Promise<number>;
  /** The key of the period that ended last, in business time; null when a close of it was opened before. */
  findEndedPeriod(): Promise<string | null>;
  openRun(input: RunInput): Promise<OpenedRun>;
  /** Returns how many accounts have no cycle invoice yet. */
  claimDrafts(input: RunInput): Promise<number>;
  takeBarrier(input: RunInput): Promise<void>;
  checkRolledUp(input: RunInput & { readonly upTo: 'barrier' | 'lateBarrier' }): Promise<void>;
  closePeriod(input: RunInput): Promise<void>;
  /** The steps of a batch: each runs for every account of it that has not failed before. An account that a step can't work for is recorded as failed. */
  rateAccounts(input: BatchInput): Promise<void>;
  pushUsage(input: BatchInput): Promise<void>;
  /** Returns how many accounts' summaries at the biller don't equal what was rated. */
  readBack(input: BatchInput): Promise<number>;
  resendUsage(input: BatchInput): Promise<void>;
  billAccounts(input: BatchInput): Promise<void>;
  compareAccounts(input: BatchInput): Promise<void>;
  /** Sends what changed in the ended hours of periods that are not closing; the accounts behind `after`, in the order of their names. */
  pushOpenHours(input: OpenHoursInput): Promise<OpenHoursPage>;
  takeLateBarrier(input: RunInput): Promise<void>;
  comparePeriod(input: RunInput): Promise<void>;
  writeReport(input: RunInput): Promise<CloseResult>;
};
