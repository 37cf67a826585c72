// trueup repair bulk and repair rerate: one correction of many accounts. Planned by one person, approved by another by the hash
// over all of it, applied account by account. Killed while it applies, the same command goes on where it stood.

import { parseArgs } from 'node:util';
import type { AccountHour } from '../aggregate/usage.ts';
import { canonicalJson, sha256 } from '../domain/canonical.ts';
import { formatDecimal, parseDecimal, type Decimal } from '../domain/decimal.ts';
import { formatMoney, type Currency } from '../domain/money.ts';
import { hourOf, parsePeriod, periodOf, toIso, type Period } from '../domain/period.ts';
import { parsePlanId, type Tier } from '../domain/price-book.ts';
import {
  applyBulk,
  approveBulk,
  dropBulk,
  fetchBulk,
  insertBulk,
  scaleHours,
  type BulkPlan,
  type StoredBulk,
} from '../reconcile/books.ts';
import { planRerating, planUsageCorrection } from '../reconcile/door.ts';
import { parsePrices, readQuantities } from './bulk-input.ts';
import { UsageError, type Run } from './command.ts';
import {
  actingAs,
  answer,
  oneOf,
  parseInstant,
  required,
  sayProgress,
  toColumns,
  withDesk,
  type Desk,
} from './desk.ts';
import { withReconciliation, type Reconciliation } from './reconciliation.ts';

const OPTIONS = {
  as: { type: 'string' },
  reason: { type: 'string' },
  source: { type: 'string' },
  account: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  void: { type: 'boolean', default: false },
  factor: { type: 'string' },
  quantities: { type: 'string' },
  period: { type: 'string' },
  plan: { type: 'string' },
  price: { type: 'string', multiple: true },
  'plan-hash': { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

type Options = ReturnType<typeof parseArgs<{ args: string[]; options: typeof OPTIONS }>>['values'];

/** A dry run, and what was selected for it as it is to be read years later. */
type Prepared = { readonly plan: BulkPlan; readonly selection: Readonly<Record<string, string>> };

const ACTIONS: Readonly<Record<string, (desk: Desk, id: string, options: Options) => Promise<number>>> = {
  show,
  approve,
  apply,
  drop,
};

/** The first argument is `bulk` or `rerate`. */
export const run: Run = async ([kind, name = '', ...args], context) => {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: OPTIONS });
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (name !== 'plan' && action === undefined) throw new UsageError(`say plan, ${Object.keys(ACTIONS).join(', ')}`);
  const id = oneOf(positionals, 'one bulk correction, such as double-count-october');
  const prepare = kind === 'rerate' ? prepareRerating(id, values) : prepareCorrection(id, values);
  return withDesk(context, async (desk) =>
    action === undefined ? plan(desk, prepare, values) : action(desk, id, values),
  );
};

type Prepare = (deps: Reconciliation, desk: Desk) => Promise<Prepared>;

async function plan(desk: Desk, prepare: Prepare, options: Options): Promise<number> {
  const { context, db, nowMs: atMs } = desk;
  const actor = await actingAs(desk, options.as);
  const { plan: bulk, selection } = await withReconciliation(context, async (deps) => prepare(deps, desk));
  const left = bulk.entries.filter(({ planned }) => !planned.ok).length;
  if (left > 0) context.warn(`${left} accounts can't be corrected this way: each says why`);
  if (options['dry-run'] || bulk.entries.length === 0) {
    answer(context, options.json, { value: { selection, ...bulk }, lines: describePlan(bulk) });
    return left === 0 ? 0 : 1;
  }
  if (!options.json) for (const line of describePlan(bulk)) context.print(line);
  const hash = await insertBulk(db, actor, { bulk, selection, atMs });
  answer(context, options.json, { value: { selection, ...bulk, hash }, lines: [`plan hash ${hash}`] });
  context.warn(`next: another person runs trueup repair bulk approve ${bulk.bulkId} --plan-hash ${hash}`);
  return left === 0 ? 0 : 1;
}

function prepareCorrection(bulkId: string, options: Options): Prepare {
  return async (deps, { context, nowMs }) => {
    const source = required(options.source, '--source', 'names the source whose usage was wrong');
    const startAtMs = parseInstant('--from', required(options.from, '--from', 'is when it began'));
    const endAtMs = parseInstant('--to', required(options.to, '--to', 'is when it ended, exclusive'));
    const how = toChange(options);
    const { plan: bulk, ...found } = await planUsageCorrection(deps, {
      bulkId,
      period: periodOf(startAtMs),
      reason: required(options.reason, '--reason', 'says why'),
      nowMs,
      onRead: sayProgress(context, 'accounts read'),
      selection: { source, window: { startAtMs, endAtMs }, account: options.account ?? null },
      correct: (counted) => {
        if ('void' in how) return [];
        if ('factor' in how) return scaleHours(counted, how.factor);
        const stray = how.hours.find(({ hourAtMs }) => hourAtMs < hourOf(startAtMs) || hourAtMs >= endAtMs);
        if (stray !== undefined)
          throw new UsageError(`${options.quantities ?? ''}: ${toIso(stray.hourAtMs)} is outside`);
        return how.hours;
      },
    });
    context.warn(`${found.counted.length} hours of ${source} counted in the closed total`);
    if (found.unregistered.length > 0) {
      context.warn(`billed to nobody, so left alone: ${found.unregistered.join(', ')}`);
    }
    const selection = {
      kind: 'usage',
      source,
      account: options.account ?? 'all',
      from: toIso(startAtMs),
      to: toIso(endAtMs),
      change: describeChange(how),
    };
    return { plan: bulk, selection };
  };
}

type Change = { readonly void: true } | { readonly factor: Decimal } | { readonly hours: readonly AccountHour[] };

function toChange({ void: taken, factor, quantities }: Options): Change {
  const given = [taken, factor !== undefined, quantities !== undefined].filter(Boolean).length;
  if (given !== 1) throw new UsageError('say one of --void, --factor <decimal> and --quantities <file>');
  if (quantities !== undefined) return { hours: readQuantities(quantities) };
  if (factor === undefined) return { void: true };
  if (!/^\d+(\.\d+)?$/.test(factor)) throw new UsageError('--factor is a plain decimal of at least 0, such as 0.5');
  return { factor: parseDecimal(factor) };
}

/** Quantities by their hash: whoever kept the file can prove that it is the one. */
function describeChange(how: Change): string {
  if ('void' in how) return 'void';
  if ('factor' in how) return `factor ${formatDecimal(how.factor)}`;
  const rows = how.hours.map((hour) => ({ ...hour, quantity: hour.quantity.toString() }));
  return `${rows.length} quantities, sha256 ${sha256(canonicalJson(rows))}`;
}

function prepareRerating(bulkId: string, options: Options): Prepare {
  return async (deps, { context, nowMs }) => {
    const period: Period = parsePeriod(required(options.period, '--period', 'is the period to rate again'));
    const tiers = parsePrices(options.price ?? []);
    const planId = options.plan === undefined ? null : parsePlanId(options.plan);
    const bulk = await planRerating(deps, {
      bulkId,
      period,
      reason: required(options.reason, '--reason', 'says why'),
      nowMs,
      onRead: sayProgress(context, 'accounts read'),
      tiers,
      account: options.account ?? null,
      planId,
    });
    const prices = [...tiers].map(([meter, of]) => `${meter}=${of.map(formatTier).join(',')}`);
    const selection = {
      kind: 'rerate',
      account: options.account ?? 'all',
      plan: planId ?? 'all',
      prices: prices.join(' '),
    };
    return { plan: bulk, selection };
  };
}

function formatTier({ upTo, unitAmount }: Tier): string {
  return `${upTo ?? 'rest'}:${formatDecimal(unitAmount)}`;
}

async function show({ db, context }: Desk, id: string, { json }: Options): Promise<number> {
  const bulk = await fetchBulk(db, id);
  answer(context, json, { value: bulk, lines: describeStored(bulk) });
  return bulk.repairs.some(({ problem }) => problem !== null) ? 1 : 0;
}

async function approve(desk: Desk, id: string, options: Options): Promise<number> {
  const hash = required(options['plan-hash'], '--plan-hash', 'is the hash that trueup repair bulk show prints');
  await approveBulk(desk.db, await actingAs(desk, options.as), { bulkId: id, hash, atMs: desk.nowMs });
  return show(desk, id, options);
}

/** Machine time for which one account's step is tried again before it is left for the next attempt. */
const WAIT_MS = 120_000;

async function apply(desk: Desk, id: string, options: Options): Promise<number> {
  const { context, db } = desk;
  const actor = await actingAs(desk, options.as);
  await fetchBulk(db, id);
  const outcomes = await withReconciliation(context, async (deps) => {
    const onRepair = sayProgress(context, 'accounts done');
    return applyBulk({ ...deps, waitMs: WAIT_MS }, actor, { bulkId: id, onRepair });
  });
  const wrong = outcomes.filter(({ problem }) => problem !== null);
  for (const { account, problem } of wrong) context.warn(`${account}: ${problem ?? ''}`);
  await show(desk, id, options);
  return wrong.length === 0 ? 0 : 1;
}

async function drop(desk: Desk, id: string, options: Options): Promise<number> {
  const reason = required(options.reason, '--reason', 'says why it is given up');
  const act = { bulkId: id, reason, atMs: desk.nowMs };
  const dropped = await dropBulk(desk.db, await actingAs(desk, options.as), act);
  desk.context.warn(`${dropped} accounts dropped; what was begun stands`);
  return show(desk, id, options);
}

function describePlan({ bulkId, period, reason, entries, totals }: BulkPlan): string[] {
  const rows = entries.map(({ money, planned }) => [
    money.account,
    amount(money.beforeMinor, money.currency),
    amount(money.afterMinor, money.currency),
    amount(money.amountMinor, money.currency),
    planned.ok ? planned.plan.kind : `not possible: ${planned.why}`,
    money.parts.map((part) => `${part.what} ${formatMoney(part.amountMinor, money.currency)}`).join(', '),
  ]);
  const heading = ['ACCOUNT', 'OWED', 'SHOULD OWE', 'MONEY', 'HOW', 'FROM'];
  return [
    `${bulkId} for ${period}: ${reason}`,
    ...toColumns([heading, ...rows]),
    ...totals.map((of) => `together ${amount(of.amountMinor, of.currency)} of ${of.accounts} accounts, before tax`),
    ...(totals.length === 0 ? ["nobody's money changes"] : []),
  ];
}

function describeStored({ bulkId, period, reason, selection, plannedBy, hash, repairs }: StoredBulk): string[] {
  const rows = repairs.map(({ plan: of, state, approvedBy, problem }) => [
    of.account,
    state,
    of.kind,
    amount(BigInt(of.amountMinor), of.currency),
    approvedBy ?? '-',
    problem ?? '',
  ]);
  return [
    `${bulkId} for ${period}: ${reason}; planned by ${plannedBy}`,
    `  ${selection}`,
    ...toColumns([['ACCOUNT', 'STATE', 'HOW', 'MONEY', 'APPROVED BY', 'PROBLEM'], ...rows]),
    `plan hash ${hash}`,
  ];
}

function amount(minor: bigint, currency: Currency): string {
  return `${formatMoney(minor, currency)} ${currency.toUpperCase()}`;
}
