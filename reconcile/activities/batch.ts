// One step for every account of a batch. What can't work for an account is recorded with that account and takes it out of
// the batch; an outage is thrown when the others have had their turn, so that the step is repeated for the batch. Steps are
// idempotent, so repeating them for accounts that are done changes nothing.

import { TrueupError } from '../../domain/contracts/errors.ts';
import { toApplicationFailure } from '../../platform/temporal.ts';
import type { AccountInput, BatchInput } from '../activity-types.ts';
import { fetchBatch, updateRunAccount } from '../store/runs.ts';
import { forEachAtOnce } from './at-once.ts';
import type { Deps } from './deps.ts';
import { readAhead } from './read-ahead.ts';

/** Enough to hide Stripe's latency, few enough to stay under its limit of calls per second. */
const ACCOUNTS_AT_ONCE = 5;

/** `step` gets the deps of the batch, which answer for all of its accounts from one read each. */
export async function forEachMember(
  deps: Deps,
  { run, periodKey, batch }: BatchInput,
  step: (input: AccountInput, deps: Deps) => Promise<void>,
): Promise<void> {
  const accounts = await fetchBatch(deps.db, run, batch);
  const ahead = readAhead(deps, { run, periodKey }, accounts);
  await forEachAtOnce(ACCOUNTS_AT_ONCE, accounts, async (account) => {
    const input = { run, periodKey, account };
    try {
      await step(input, ahead);
    } catch (error) {
      const failure = toApplicationFailure(error);
      if (failure.nonRetryable !== true) throw error;
      await failAccount(deps, input, failure.type ?? 'UNKNOWN');
      const message = error instanceof TrueupError ? error.message : String(error);
      deps.log.error({ run, account, code: failure.type, error: message }, 'account not billed');
    }
  });
}

async function failAccount(deps: Deps, input: AccountInput, code: string): Promise<void> {
  await updateRunAccount(deps.db, input, { state: 'failed', reasons: JSON.stringify([code]) });
}
