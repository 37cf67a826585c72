// trueup repair: what is done at Stripe about a case. Planned by one person, approved by another by the plan's hash, applied
// step by step and read back. An apply that died goes on where it stood when it is called again.

import { parseArgs } from 'node:util';
import { REPAIR_KINDS } from '../domain/contracts/break-codes.ts';
import { formatMoney } from '../domain/money.ts';
import { parsePeriod } from '../domain/period.ts';
import {
  applyRepair,
  approveRepair,
  describeStep,
  dropRepair,
  fetchRepair,
  fetchRepairs,
  insertRepair,
  type Repair,
  type RepairChoice,
  type RepairPlan,
} from '../reconcile/books.ts';
import { planCase } from '../reconcile/door.ts';
import { UsageError, type Run } from './command.ts';
import { actingAs, answer, oneOf, required, toColumns, withDesk, type Desk } from './desk.ts';
import { withReconciliation } from './reconciliation.ts';

type Options = {
  readonly as?: string;
  readonly kind?: string;
  readonly reason?: string;
  readonly invoice?: string;
  readonly settle?: string;
  readonly 'plan-hash'?: string;
  readonly period?: string;
  readonly account?: string;
  readonly 'dry-run': boolean;
  readonly json: boolean;
};

type Action = (desk: Desk, id: string, options: Options) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = { plan, show, approve, apply, drop };
const SETTLEMENTS = ['balance', 'refund', 'out_of_band'] as const;

export const run: Run = async ([name = '', ...args], context) => {
  if (name === 'bulk' || name === 'rerate') return (await import('./repair-bulk.ts')).run([name, ...args], context);
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      as: { type: 'string' },
      kind: { type: 'string' },
      reason: { type: 'string' },
      invoice: { type: 'string' },
      settle: { type: 'string' },
      'plan-hash': { type: 'string' },
      period: { type: 'string' },
      account: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (name !== 'list' && action === undefined)
    throw new UsageError(`say list, ${Object.keys(ACTIONS).join(', ')}, bulk or rerate`);
  return withDesk(context, async (desk) =>
    action === undefined
      ? list(desk, values)
      : action(desk, oneOf(positionals, name === 'plan' ? 'one case' : 'one repair'), values),
  );
};

async function list({ db, context }: Desk, { period, account, json }: Options): Promise<number> {
  const found = await fetchRepairs(db, {
    ...(period === undefined ? {} : { period: parsePeriod(period).key }),
    ...(account === undefined ? {} : { account }),
  });
  const rows = found.map(({ repairId, state, plan: { kind, amountMinor, currency }, problem }) => [
    repairId,
    state,
    kind,
    `${formatMoney(BigInt(amountMinor), currency)} ${currency.toUpperCase()}`,
    problem ?? '',
  ]);
  answer(context, json, { value: found, lines: toColumns([['REPAIR', 'STATE', 'KIND', 'MONEY', 'PROBLEM'], ...rows]) });
  return found.some(({ problem }) => problem !== null) ? 1 : 0;
}

async function plan(desk: Desk, caseId: string, options: Options): Promise<number> {
  const { context, db, nowMs } = desk;
  const actor = await actingAs(desk, options.as);
  const choice = toChoice(options);
  const planned = await withReconciliation(context, async (deps) => planCase(deps, caseId, choice));
  if (!planned.ok) {
    context.warn(planned.why);
    return 1;
  }
  if (options['dry-run']) {
    answer(context, options.json, { value: planned.plan, lines: describePlan(planned.plan) });
    return 0;
  }
  const repairId = await insertRepair(db, actor, { plan: planned.plan, bulkId: null, atMs: nowMs });
  return show(desk, repairId, options);
}

async function show({ db, context }: Desk, repairId: string, { json }: Options): Promise<number> {
  const repair = await fetchRepair(db, repairId);
  answer(context, json, { value: repair, lines: describeRepair(repair) });
  return repair.problem === null ? 0 : 1;
}

async function approve(desk: Desk, repairId: string, options: Options): Promise<number> {
  const actor = await actingAs(desk, options.as);
  const planHash = required(options['plan-hash'], '--plan-hash', 'is the hash that trueup repair show prints');
  await approveRepair(desk.db, actor, { repairId, planHash, atMs: desk.nowMs });
  return show(desk, repairId, options);
}

async function apply(desk: Desk, repairId: string, options: Options): Promise<number> {
  const actor = await actingAs(desk, options.as);
  const WAIT_MS = 120_000;
  await withReconciliation(desk.context, async ({ db, billing, clock }) =>
    applyRepair({ db, billing, clock, waitMs: WAIT_MS }, actor, repairId),
  );
  return show(desk, repairId, options);
}

async function drop(desk: Desk, repairId: string, options: Options): Promise<number> {
  const reason = required(options.reason, '--reason', 'says why it is given up');
  await dropRepair(desk.db, await actingAs(desk, options.as), { repairId, reason, atMs: desk.nowMs });
  return show(desk, repairId, options);
}

function toChoice({ kind, reason, invoice, settle }: Options): RepairChoice {
  const chosen = REPAIR_KINDS.find((one) => one === kind);
  if (chosen === undefined) throw new UsageError(`--kind is one of ${REPAIR_KINDS.join(', ')}`);
  const to = SETTLEMENTS.find((one) => one === settle);
  if (settle !== undefined && to === undefined) throw new UsageError(`--settle is one of ${SETTLEMENTS.join(', ')}`);
  return {
    kind: chosen,
    reason: required(reason, '--reason', 'says why'),
    ...(invoice === undefined ? {} : { invoice }),
    ...(to === undefined ? {} : { settle: to }),
  };
}

function describePlan({ kind, caseId, steps, before, after, currency, reason }: RepairPlan): string[] {
  const money = (minor: string) => `${formatMoney(BigInt(minor), currency)} ${currency.toUpperCase()}`;
  const words = steps.map((step, index) => `  ${index + 1}. ${describeStep(step, currency)}`);
  return [
    `${kind} for case ${caseId}: ${reason}`,
    ...(words.length === 0 ? ['  nothing changes at Stripe'] : words),
    `  charged before ${money(before.chargedMinor)}, after ${money(after.chargedMinor)}`,
  ];
}

function describeRepair(repair: Repair): string[] {
  const { repairId, state, plan: planned, planHash, plannedBy, approvedBy, effects, problem } = repair;
  const done = effects.filter((effect) => effect !== null).length;
  return [
    `${repairId} is ${state}, ${done} of ${effects.length} steps done; planned by ${plannedBy}, approved by ${approvedBy ?? 'nobody yet'}`,
    ...describePlan(planned),
    `  plan hash ${planHash}`,
    ...(problem === null ? [] : [`  PROBLEM: ${problem}`]),
  ];
}
