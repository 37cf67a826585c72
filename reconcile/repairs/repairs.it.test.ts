import { afterEach, describe, expect, test } from 'vitest';
import { HOUR_MS, parsePeriod } from '../../domain/period.ts';
import type { Billing } from '../billing/port.ts';
import { fetchCase } from '../cases/book.ts';
import { createRepairWorld, type RepairWorld } from '../testing/repair-world.ts';
import { applyRepair, type RepairDeps } from './apply.ts';
import { approveRepair, computePlanHash, dropRepair, insertRepair } from './book.ts';
import type { RepairChoice, RepairPlan } from './plan.ts';
import { fetchCarriedOver, fetchKnownCases } from './explained.ts';
import { fetchRepair } from './stored.ts';

let world: RepairWorld;
afterEach(async () => world.end());

const found = { code: 'QTY_MISMATCH' as const, amountMinor: -20_000n };
const choose = (kind: RepairChoice['kind']): RepairChoice => ({ kind, reason: 'counted twice' });

/** Planned by pat, approved by rae. */
async function approve(plan: RepairPlan): Promise<string> {
  const { db, pat, rae, period } = world;
  const repairId = await insertRepair(db, pat, { plan, bulkId: null, atMs: period.endAtMs });
  await approveRepair(db, rae, { repairId, planHash: computePlanHash(plan), atMs: period.endAtMs });
  return repairId;
}

const apply = async (repairId: string, deps: RepairDeps = world.deps) => applyRepair(deps, world.pat, repairId);
const held = async () => world.billing.fetchAccountBilling(world.ref, world.period);
const notesOf = async () => (await held()).invoices.flatMap(({ creditNotes }) => creditNotes);

/** Billing whose `nth` write takes effect and then dies with its process. */
function dyingAfter(nth: number): RepairDeps {
  const WRITES = ['addItem', 'creditInvoice', 'voidInvoice', 'issueInvoice', 'finalize', 'pushHours'];
  let writes = 0;
  const billing = new Proxy(world.billing, {
    get: (target, name: keyof Billing) => {
      const call = target[name] as (...args: unknown[]) => Promise<unknown>;
      if (!WRITES.includes(name)) return call;
      return async (...args: unknown[]) => {
        const result = await call(...args);
        writes += 1;
        if (writes === nth) throw new Error('killed');
        return result;
      };
    },
  });
  return { ...world.deps, billing };
}

describe('a repair', () => {
  test('credits the invoice once, is read back and tells its case', async () => {
    world = await createRepairWorld();
    await world.finalize();
    const plan = await world.plan(found, choose('credit_note'));
    const repairId = await approve(plan);
    expect(await apply(repairId)).toMatchObject({ state: 'verified', problem: null });
    expect(await notesOf()).toMatchObject([{ status: 'issued', amountMinor: 20_000n, caseId: plan.caseId }]);
    const { state, history } = await fetchCase(world.db, plan.caseId);
    expect([state, history.map(({ event }) => event.kind)]).toEqual([
      'repaired',
      ['opened', 'repair-planned', 'repaired'],
    ]);
    // The credit note itself says what it corrects.
    expect(await fetchKnownCases(world.db, { period: world.period, account: world.ref.account })).toEqual([
      { id: plan.caseId, code: 'QTY_MISMATCH', meter: 'actions', settledMinor: 0n },
    ]);
    expect(await apply(repairId)).toMatchObject({ state: 'verified' });
    expect(await notesOf()).toHaveLength(1);
  });

  test('sends the missing hour and lets the held invoice out with it', async () => {
    world = await createRepairWorld(1);
    const plan = await world.plan({ code: 'USAGE_NOT_SENT', amountMinor: 50_000n }, choose('resend_hour'));
    expect(await apply(await approve(plan))).toMatchObject({ state: 'verified' });
    const { invoices } = await held();
    expect(invoices).toMatchObject([{ status: 'open', totalMinor: 100_000n }]);
  });

  test('puts money on the draft before it goes out', async () => {
    world = await createRepairWorld(1);
    const plan = await world.plan({ code: 'QTY_MISMATCH', amountMinor: 50_000n }, choose('invoice_item'));
    expect(await apply(await approve(plan))).toMatchObject({ state: 'verified' });
    const [invoice] = (await held()).invoices;
    expect(invoice).toMatchObject({ status: 'open', totalMinor: 100_000n });
    expect(invoice?.lines.find(({ kind }) => kind === 'repair')).toMatchObject({
      caseId: plan.caseId,
      meter: 'actions',
    });
  });

  test('carries late usage to the next invoice, which says whose it is', async () => {
    world = await createRepairWorld();
    await world.finalize();
    const plan = await world.plan({ code: 'USAGE_LATE', amountMinor: 420n }, choose('next_period'));
    expect(await apply(await approve(plan))).toMatchObject({ state: 'verified' });
    const november = parsePeriod('2026-11');
    const { db, period, ref } = world;
    const settled = { id: plan.caseId, code: 'USAGE_LATE', meter: 'actions', settledMinor: 420n };
    expect(await fetchKnownCases(db, { period, account: ref.account })).toEqual([settled]);
    const { startAtMs, endAtMs } = period;
    expect(await fetchCarriedOver(db, { period: november, account: ref.account })).toEqual([
      { caseId: plan.caseId, meter: 'actions', startAtMs, endAtMs, amountMinor: 420n },
    ]);
    expect(await fetchCarriedOver(db, { period, account: ref.account })).toEqual([]);
    await world.advance(november.endAtMs);
    const [next] = (await world.billing.fetchAccountBilling(world.ref, november)).invoices;
    expect(next?.lines.filter(({ kind }) => kind === 'repair')).toMatchObject([
      { caseId: plan.caseId, amountMinor: 420n, startAtMs: world.period.startAtMs, endAtMs: world.period.endAtMs },
    ]);
  });

  test('is dropped with a reason, and another one is planned', async () => {
    world = await createRepairWorld();
    await world.finalize();
    const plan = await world.plan(found, choose('credit_note'));
    const { db, pat, period } = world;
    const repairId = await approve(plan);
    await expect(approve(plan)).rejects.toMatchObject({ code: 'REPAIR_STATE' });
    await dropRepair(db, pat, { repairId, reason: 'wrong invoice', atMs: period.endAtMs });
    await expect(apply(repairId)).rejects.toMatchObject({ code: 'REPAIR_STATE' });
    expect(await approve(plan)).toBe(`${plan.caseId}-r2`);
  });
});

describe('a repair that is disturbed', () => {
  const items = [
    { meter: 'actions' as const, amountMinor: '80000', description: 'Actions' },
    { meter: null, amountMinor: '5000', description: 'Plan fee' },
  ];

  test('killed after any of its effects and resumed, is applied once', async () => {
    world = await createRepairWorld();
    await world.finalize();
    const repairId = await approve(await world.plan(found, choose('reissue'), items));
    for (const nth of [1, 1, 2]) {
      // The first write is done and not recorded, then done again and not recorded, then the one after it.
      await expect(apply(repairId, dyingAfter(nth))).rejects.toThrow('killed');
    }
    expect(await apply(repairId)).toMatchObject({ state: 'verified', problem: null });
    const { invoices } = await held();
    expect(invoices.map(({ status, totalMinor }) => [status, totalMinor])).toEqual([
      ['void', 100_000n],
      ['open', 85_000n],
    ]);
  });

  test.each([
    ['a reply that is lost twice', { drop_reply_after_commit: true, times: 2 }],
    ['a limit', { status: 429, times: 2 }],
    ['a request in progress', { status: 409, times: 2 }],
    ['a server error that is stored for its key', { status: 500, times: 1 }],
  ])('credits once through %s', async (_what, fault) => {
    world = await createRepairWorld();
    await world.finalize();
    const repairId = await approve(await world.plan(found, choose('credit_note')));
    const at = { kind: 'http', method: 'POST', path_prefix: '/v1/credit_notes', account: world.ref.account };
    await world.stripe.plant({ ...at, ...fault });
    expect(await apply(repairId)).toMatchObject({ state: 'verified' });
    expect(await notesOf()).toMatchObject([{ amountMinor: 20_000n }]);
  });

  test('by a second applier at the same time, is applied once', async () => {
    world = await createRepairWorld();
    const repairId = await approve(
      await world.plan({ code: 'QTY_MISMATCH', amountMinor: 300n }, choose('invoice_item')),
    );
    const outcomes = await Promise.all([apply(repairId), apply(repairId), apply(repairId)]);
    expect(outcomes.map(({ state }) => state)).toEqual(['verified', 'verified', 'verified']);
    const [invoice] = (await held()).invoices;
    expect(invoice?.lines.filter(({ kind }) => kind === 'repair')).toHaveLength(1);
  });

  test('by a change at the biller since it was planned, does nothing', async () => {
    world = await createRepairWorld();
    await world.finalize();
    const repairId = await approve(await world.plan(found, choose('credit_note')));
    await world.stripe.post(`/v1/invoices/${world.invoice}/void`, {});
    await expect(apply(repairId)).rejects.toMatchObject({ kind: 'conflict', code: 'REPAIR_STALE' });
    expect(await fetchRepair(world.db, repairId)).toMatchObject({ state: 'approved', effects: [null] });
  });

  test('after it was applied, is reported instead of believed', async () => {
    world = await createRepairWorld();
    await world.finalize();
    const repairId = await approve(await world.plan(found, choose('credit_note')));
    await expect(apply(repairId, dyingAfter(1))).rejects.toThrow('killed');
    const [note] = await notesOf();
    await world.stripe.post(`/v1/credit_notes/${note?.id}/void`, {});
    const again = {
      ...world.deps,
      billing: { ...world.billing, creditInvoice: async () => Promise.resolve(note?.id ?? '') },
    };
    expect(await apply(repairId, again)).toMatchObject({
      state: 'applied',
      problem: expect.stringMatching(/is not in force/) as string,
    });
  });
});

describe('four eyes', () => {
  test('nobody approves what they planned, or another plan than the one they saw', async () => {
    world = await createRepairWorld();
    await world.finalize();
    const { db, rae, period } = world;
    const plan = await world.plan(found, choose('credit_note'));
    const both = { ...rae, roles: ['preparer', 'reviewer'] as const };
    const atMs = period.endAtMs;
    const repairId = await insertRepair(db, both, { plan, bulkId: null, atMs });
    const planHash = computePlanHash(plan);
    await expect(approveRepair(db, both, { repairId, planHash, atMs })).rejects.toMatchObject({
      code: 'NOT_PERMITTED',
    });
    await expect(approveRepair(db, rae, { repairId, planHash: 'other', atMs })).rejects.toMatchObject({
      code: 'REPAIR_STALE',
    });
    await expect(apply(repairId)).rejects.toMatchObject({ code: 'REPAIR_STATE' });
  });

  test('the database refuses it too, and any change of what was planned', async () => {
    world = await createRepairWorld();
    await world.finalize();
    const { db, pat, period } = world;
    const plan = await world.plan(found, choose('credit_note'));
    const repairId = await insertRepair(db, pat, { plan, bulkId: null, atMs: period.endAtMs });
    const set = (to: object) => db.updateTable('repairs').set(to).where('repair_id', '=', repairId).execute();
    const at = new Date(period.endAtMs + HOUR_MS);
    await expect(set({ state: 'approved', approved_by: 'pat', approved_at: at })).rejects.toThrow(
      /planner_is_not_approver|role reviewer/,
    );
    await expect(set({ state: 'applying' })).rejects.toThrow(/can't become applying/);
    await expect(set({ plan: '{}' })).rejects.toThrow(/is not changed/);
    await expect(db.deleteFrom('repairs').execute()).rejects.toThrow(/append-only/);
  });
});
