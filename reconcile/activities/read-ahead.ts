// What every step asks for account by account, read for a whole batch at once: the same answers in a hundredth of the
// questions. Read when it is first asked for, and kept for one step only, so that a repeated step sees the world afresh.

import { invariant } from '../../domain/contracts/errors.ts';
import { parsePeriod, type Period } from '../../domain/period.ts';
import type { RunInput } from '../activity-types.ts';
import { asOfPeriod, type Deps } from './deps.ts';
import { once } from './once.ts';
import { createBatchRows } from './rows.ts';

/** `deps`, answering for the accounts of a batch from one read each. */
export function readAhead(deps: Deps, input: RunInput, accounts: readonly string[]): Deps {
  const period = parsePeriod(input.periodKey);
  const registered = once(async () =>
    toMap(await deps.accounts.fetchAccounts(asOfPeriod(period), accounts), ({ id }) => id),
  );
  const agreements = once(async () =>
    toMap(await deps.accounts.fetchAgreements(period, accounts), ({ account }) => account),
  );
  const hours = once(async () => deps.usage.fetchClosedHoursOf(period, accounts));
  const isOurs = (of: Period) => of.key === period.key;
  const customers = async () =>
    [...(await registered()).values()].flatMap(({ stripe: { customer } }) =>
      customer === undefined ? [] : [customer],
    );
  return {
    ...deps,
    rows: createBatchRows(deps.db, { input, period, accounts, customers }),
    accounts: {
      ...deps.accounts,
      fetchAccount: async (id) => found((await registered()).get(id), id),
      fetchAgreement: async (id, of) =>
        isOurs(of) ? found((await agreements()).get(id), id) : deps.accounts.fetchAgreement(id, of),
    },
    usage: {
      ...deps.usage,
      fetchClosedHours: async (of, account) =>
        isOurs(of) ? [...((await hours()).get(account) ?? [])] : deps.usage.fetchClosedHours(of, account),
    },
  };
}

function found<T>(value: T | undefined, account: string): T {
  invariant(value !== undefined, 'I6', `account ${account} is not registered`);
  return value;
}

function toMap<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [key(item), item]));
}
