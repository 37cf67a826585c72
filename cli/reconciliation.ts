// What commands open that work with Stripe: the stores of a close and the biller, as the reconciliation worker wires them.

import { createAccounts } from '../accounts/door.ts';
import type { AccountTables } from '../accounts/tables.ts';
import { createUsage } from '../aggregate/usage.ts';
import { createClock } from '../platform/clock.ts';
import { createLog } from '../platform/log.ts';
import { createPostgres } from '../platform/postgres.ts';
import { createStripeBilling, openPace, readCodeVersion, type CloseDeps } from '../reconcile/door.ts';
import type { CommandContext } from './command.ts';
import { withStores, type Stores } from './stores.ts';

/** The whole usage door, of which a close needs a part. */
export type Reconciliation = Omit<CloseDeps, 'usage'> & {
  readonly usage: ReturnType<typeof createUsage>;
  readonly stores: Stores;
};

export async function withReconciliation<T>(
  context: CommandContext,
  work: (deps: Reconciliation) => Promise<T>,
): Promise<T> {
  const env = context.env(
    'TRUEUP_STRIPE_KEY',
    'TRUEUP_STRIPE_URL',
    'TRUEUP_STRIPE_RATE',
    'TRUEUP_REDIS_URL',
    'TRUEUP_POSTGRES_URL',
    'TRUEUP_CLOCK',
    'TRUEUP_LOG_LEVEL',
  );
  const log = createLog('cli', 'silent');
  const stripe = { key: env.TRUEUP_STRIPE_KEY, url: env.TRUEUP_STRIPE_URL };
  const { pace, close } = openPace({ ...stripe, rate: env.TRUEUP_STRIPE_RATE, redisUrl: env.TRUEUP_REDIS_URL, log });
  const accountsDb = createPostgres<AccountTables>(env.TRUEUP_POSTGRES_URL, 2);
  try {
    return await withStores(context, async (stores) =>
      work({
        stores,
        db: stores.db,
        usage: createUsage(stores.deps),
        accounts: createAccounts(accountsDb),
        billing: createStripeBilling({ ...stripe, pace }),
        clock: createClock(env.TRUEUP_CLOCK, stores.db),
        log,
        codeVersion: readCodeVersion(),
      }),
    );
  } finally {
    close();
    await accountsDb.destroy();
  }
}
