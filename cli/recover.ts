// trueup recover: makes Postgres and ClickHouse agree again after one of them was restored to an earlier time, before any
// process works on them (docs/operations.md). Every step may be repeated: killed at any point, the same command is run again.

import { parseArgs } from 'node:util';
import { createAccounts } from '../accounts/door.ts';
import {
  beginClickHouseRecovery,
  fetchAccountsSince,
  finishClickHouseRecovery,
  recoverPostgres,
} from '../aggregate/recovery/recover.ts';
import { periodOf, previousPeriod } from '../domain/period.ts';
import { manifestGroupOf } from '../ingest/manifests.ts';
import { sinkGroupOf } from '../ingest/sink.ts';
import { createLog } from '../platform/log.ts';
import { fetchProcesses } from '../platform/process-registry.ts';
import { createTemporal } from '../platform/temporal.ts';
import { UsageError, type CommandContext, type Run } from './command.ts';
import { parseInstant } from './desk.ts';
import { withStores, type Stores } from './stores.ts';

export const run: Run = async ([what, ...args], context) => {
  const { values } = parseArgs({ args, options: { since: { type: 'string' }, finish: { type: 'boolean' } } });
  if (what === 'postgres') return withIdleStores(context, async (stores) => ofPostgres(stores, context));
  if (what !== 'clickhouse') throw new UsageError('say postgres or clickhouse: the one that was restored');
  if (values.finish === true) return withStores(context, async (stores) => finish(stores, context));
  if (values.since === undefined)
    throw new UsageError('--since names the time of the ClickHouse backup, start without one; --finish ends it');
  const sinceMs = values.since === 'start' ? 0 : parseInstant('--since', values.since);
  return withIdleStores(context, async (stores) => ofClickHouse(stores, context, sinceMs));
};

/** Refuses while a process runs: what it writes now, it writes by what it remembers. */
async function withIdleStores(context: CommandContext, work: (stores: Stores) => Promise<number>): Promise<number> {
  return withStores(context, async (stores) => {
    const running = await fetchProcesses(stores.db);
    for (const { id } of running) context.warn(`${id} runs`);
    if (running.length === 0) return work(stores);
    context.warn('nothing was changed: stop every process first; one that died is forgotten within seconds');
    return 1;
  });
}

async function ofPostgres(stores: Stores, context: CommandContext): Promise<number> {
  const { deps, kafka, topic } = stores;
  const { adopted, from } = await recoverPostgres(deps, async (to) =>
    kafka.rewindGroupSince(sinkGroupOf(topic), topic, to),
  );
  context.print(`sinks read on from ${from.join(',')}`);
  for (const period of adopted) context.print(`close of ${period}: its barrier and digest are back`);
  await readBack(stores, context);
  await restart(stores, context);
  await nameUnregistered(stores, context);
  context.warn('start the processes; what else a backup can have forgotten stands in docs/operations.md');
  return 0;
}

async function readBack({ db, nowMs }: Stores, context: CommandContext): Promise<void> {
  const env = context.env('TRUEUP_STRIPE_KEY', 'TRUEUP_STRIPE_URL', 'TRUEUP_STRIPE_RATE', 'TRUEUP_REDIS_URL');
  // Loaded here only: it knows the biller and the report's files.
  const { createStripeBilling, openPace, readBackPushes } = await import('../reconcile/door.ts');
  const stripe = { key: env.TRUEUP_STRIPE_KEY, url: env.TRUEUP_STRIPE_URL };
  const shared = { rate: env.TRUEUP_STRIPE_RATE, redisUrl: env.TRUEUP_REDIS_URL, log: createLog('cli', 'silent') };
  const { pace, close } = openPace({ ...stripe, ...shared });
  try {
    const accounts = createAccounts(db);
    const now = periodOf(nowMs);
    const periods = [previousPeriod(now), now];
    const corrected = await readBackPushes({
      db,
      accounts,
      billing: createStripeBilling({ ...stripe, pace }),
      periods,
    });
    context.print(`record of what Stripe was sent: read back, ${corrected} accounts corrected`);
  } finally {
    close();
  }
}

async function restart({ deps, db }: Stores, context: CommandContext): Promise<void> {
  const { fetchReport, fetchRunningCloses, restartClose, wasClosing } = await import('../reconcile/door.ts');
  const env = context.env('TRUEUP_TEMPORAL_ADDRESS', 'TRUEUP_TEMPORAL_NAMESPACE');
  const temporal = await createTemporal({
    address: env.TRUEUP_TEMPORAL_ADDRESS,
    namespace: env.TRUEUP_TEMPORAL_NAMESPACE,
  });
  try {
    const due = new Set(await fetchRunningCloses(temporal.client));
    for (const { key } of await deps.db.selectFrom('periods').select('key').execute()) {
      const reported = (await fetchReport(db, key)) !== undefined;
      if (!reported && (await wasClosing(temporal.client, key))) due.add(key);
    }
    for (const key of [...due].sort()) {
      await restartClose(temporal.client, key, 'Postgres was restored to an earlier time');
      context.print(`close of ${key}: started again; it finds what it did`);
    }
  } finally {
    await temporal.close();
  }
}

async function nameUnregistered({ deps, db, nowMs }: Stores, context: CommandContext): Promise<void> {
  const used = await fetchAccountsSince(deps, previousPeriod(periodOf(nowMs)).startAtMs);
  const rows = await db.selectFrom('accounts').select('id').execute();
  const registered = new Set(rows.map(({ id }) => id));
  const unknown = used.filter((account) => !registered.has(account));
  if (unknown.length > 0) context.print(`usage of accounts that are not registered: ${unknown.join(', ')}`);
}

async function ofClickHouse(stores: Stores, context: CommandContext, sinceMs: number): Promise<number> {
  const { deps, kafka, topic, manifestTopic } = stores;
  const rewind = {
    usage: async (since: number) => kafka.rewindGroupSince(sinkGroupOf(topic), topic, since),
    manifests: async () => kafka.rewindGroup(manifestGroupOf(manifestTopic), manifestTopic),
  };
  const { from, to } = await beginClickHouseRecovery(deps, rewind, sinceMs);
  context.print(`to be read again: from ${from.join(',')} to ${to.join(',')}`);
  context.warn('start the processes; nothing is pushed, closed or adjusted before that is read');
  context.warn('then run "trueup recover clickhouse --finish"');
  return 0;
}

async function finish({ deps }: Stores, context: CommandContext): Promise<number> {
  for (const period of await finishClickHouseRecovery(deps)) {
    context.print(`closed totals of ${period}: written again, with the digest on record`);
  }
  context.warn('everything is there; compare each closed month once more with "trueup period explain"');
  return 0;
}
