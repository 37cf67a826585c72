// What the close workflows and their activities say to each other. Payloads stay small: accounts and amounts stand in
// Postgres, workflows carry names and counts.

export const TASK_QUEUE = 'trueup-reconcile';

export type CloseInput = { readonly periodKey: string };

export type RunInput = { readonly run: string; readonly periodKey: string };

export type AccountInput = RunInput & { readonly account: string };

export type BatchInput = RunInput & { readonly batch: number; readonly simulated: boolean };

export type OpenedRun = {
  readonly batches: number;
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
  openRun(input: RunInput): Promise<OpenedRun>;
  /** Returns how many accounts have no cycle invoice yet. */
  claimDrafts(input: RunInput): Promise<number>;
  takeBarrier(input: RunInput): Promise<void>;
  checkRolledUp(input: RunInput & { readonly upTo: 'barrier' | 'lateBarrier' }): Promise<void>;
  closePeriod(input: RunInput): Promise<void>;
  fetchMembers(input: BatchInput): Promise<string[]>;
  rateAccount(input: AccountInput): Promise<void>;
  pushUsage(input: AccountInput): Promise<void>;
  /** True when the biller's summaries equal what was rated. */
  readBack(input: AccountInput): Promise<boolean>;
  resendUsage(input: AccountInput): Promise<void>;
  billAccount(input: AccountInput): Promise<void>;
  compareAccount(input: AccountInput): Promise<void>;
  /** Records that an account can't be billed in this run, by the code of the error that said so. */
  failAccount(input: AccountInput & { readonly code: string }): Promise<void>;
  takeLateBarrier(input: RunInput): Promise<void>;
  comparePeriod(input: RunInput): Promise<void>;
  writeReport(input: RunInput): Promise<CloseResult>;
};
