// trueup tenants: which tenants have a series of their own in metrics. Usage decides; a pin keeps a tenant labelled whatever
// it uses. Every aggregate process reads pins at its next look, half a minute later at the latest.

import { parseArgs } from 'node:util';
import { deletePin, fetchPins, insertPin, type TenantPin } from '../aggregate/tenant-pins.ts';
import { fetchDayCounts } from '../aggregate/tenant-usage.ts';
import { decidePermission, type Actor } from '../domain/contracts/permissions.ts';
import { toIso } from '../domain/period.ts';
import { TENANT_TIERS, tierOfRank, type TierByRank } from '../domain/tiers.ts';
import { createClickHouse } from '../platform/clickhouse.ts';
import { appendAudit, inAuditedTransaction } from '../reconcile/books.ts';
import { UsageError, type CommandContext, type Run } from './command.ts';
import { actingAs, answer, oneOf, required, requireRegistered, toColumns, withDesk, type Desk } from './desk.ts';

export const run: Run = async ([action, ...args], context) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      as: { type: 'string' },
      reason: { type: 'string' },
      limit: { type: 'string', default: '20' },
      json: { type: 'boolean', default: false },
    },
  });
  return withDesk(context, async (desk) => {
    switch (action) {
      case 'pin': {
        const account = oneOf(positionals, 'one account');
        const reason = required(values.reason, '--reason', 'says why');
        await requireRegistered(desk, account);
        await pin(desk, { account, reason, as: values.as });
        return 0;
      }
      case 'unpin':
        await unpin(desk, { account: oneOf(positionals, 'one account'), as: values.as });
        return 0;
      case 'list':
        if (positionals.length > 0) throw new UsageError('list takes no account');
        return list(desk, { limit: parseLimit(values.limit), json: values.json });
      default:
        throw new UsageError('say list, pin or unpin');
    }
  });
};

type Pinning = { readonly account: string; readonly reason: string; readonly as: string | undefined };

async function pin(desk: Desk, { account, reason, as }: Pinning): Promise<void> {
  const actor = await actingAs(desk, as);
  requirePermission(actor);
  // The log's lock makes one pin wait for another, so that both can't take the last place.
  const stood = await inAuditedTransaction(desk.db, async (tx) => {
    const db: Desk['db'] = tx;
    const pins = await fetchPins(db);
    const standing = pins.find((one) => one.account === account);
    if (standing !== undefined) return standing;
    if (pins.length >= TENANT_TIERS.pinnedMaximum) {
      throw new Error(`${pins.length} tenants are pinned, and no more may be: unpin one first`);
    }
    const pinned = { account, reason, pinnedBy: actor.id, pinnedAtMs: desk.nowMs };
    await insertPin(db, pinned);
    await appendAudit(tx, [
      { atMs: desk.nowMs, actor: actor.id, action: 'tenant.pinned', subject: account, details: { reason } },
    ]);
    return undefined;
  });
  if (stood !== undefined) desk.context.warn(`${account} is pinned already: ${describePin(stood)}`);
}

async function unpin(desk: Desk, { account, as }: Omit<Pinning, 'reason'>): Promise<void> {
  const actor = await actingAs(desk, as);
  requirePermission(actor);
  await inAuditedTransaction(desk.db, async (tx) => {
    const db: Desk['db'] = tx;
    if (!(await deletePin(db, account))) {
      throw new Error(`${account} is not pinned: see trueup tenants list`);
    }
    await appendAudit(tx, [
      { atMs: desk.nowMs, actor: actor.id, action: 'tenant.unpinned', subject: account, details: {} },
    ]);
  });
}

function requirePermission(actor: Actor): void {
  const decided = decidePermission(actor, 'tenant.pin');
  if (!decided.granted) throw new Error(decided.why);
}

/** `rank` and `events` are of the business day so far: null without usage, unknown when the rollups can't be read. */
type Tenant = {
  readonly account: string;
  readonly rank: number | null | 'unknown';
  readonly events: number | 'unknown';
  readonly tier: 'pinned' | TierByRank;
  readonly pin: TenantPin | null;
};

/** The pinned ones, and those of most usage today. Exit code 1: only pins are known. */
async function list(
  { db, nowMs, context }: Desk,
  { limit, json }: { readonly limit: number; readonly json: boolean },
): Promise<number> {
  const pins = await fetchPins(db);
  const counts = await fetchRanks(context, nowMs);
  const ranks = new Map([...(counts?.keys() ?? [])].map((account, at) => [account, at + 1]));
  const pinOf = new Map(pins.map((one) => [one.account, one]));
  const shown = new Set([...[...ranks.keys()].slice(0, limit), ...pinOf.keys()]);
  const tenants = [...shown]
    .map((account): Tenant => {
      const rank = ranks.get(account);
      return {
        account,
        rank: counts === undefined ? 'unknown' : (rank ?? null),
        events: counts === undefined ? 'unknown' : (counts.get(account) ?? 0),
        tier: pinOf.has(account) ? 'pinned' : tierOfRank(rank, TENANT_TIERS),
        pin: pinOf.get(account) ?? null,
      };
    })
    .sort((a, b) => order(a) - order(b));
  const heading = ['RANK', 'ACCOUNT', 'EVENTS TODAY', 'TIER', 'PIN'];
  answer(context, json, { value: tenants, lines: toColumns([heading, ...tenants.map(toRow)]) });
  if (counts === undefined) return 1;
  const { enterAt, leaveAt, pinnedMaximum } = TENANT_TIERS;
  context.warn(
    `${counts.size} tenants used something today; a label is given up to rank ${enterAt} and taken behind rank ${leaveAt}; ${pins.length} of ${pinnedMaximum} pins are taken`,
  );
  return 0;
}

async function fetchRanks(context: CommandContext, nowMs: number): Promise<ReadonlyMap<string, number> | undefined> {
  const env = context.env('TRUEUP_CLICKHOUSE_URL', 'TRUEUP_CLICKHOUSE_DATABASE');
  const clickhouse = createClickHouse({ url: env.TRUEUP_CLICKHOUSE_URL, database: env.TRUEUP_CLICKHOUSE_DATABASE });
  try {
    return (await fetchDayCounts(clickhouse, nowMs)).counts;
  } catch (error) {
    context.warn(`only pins are known, the rollups can't be read: ${String(error)}`);
    return undefined;
  } finally {
    await clickhouse.close();
  }
}

function order({ rank }: Tenant): number {
  return typeof rank === 'number' ? rank : Number.MAX_SAFE_INTEGER;
}

function toRow({ account, rank, events, tier, pin: its }: Tenant): string[] {
  return [String(rank ?? '-'), account, String(events), tier, its === null ? '' : describePin(its)];
}

function describePin({ reason, pinnedBy, pinnedAtMs }: TenantPin): string {
  return `${reason} (${pinnedBy}, ${toIso(pinnedAtMs)})`;
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) throw new UsageError('--limit is from 1 to 10000');
  return limit;
}
