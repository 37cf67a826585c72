// Breaks of a run. An account's invoice breaks, and the period's own breaks, are each replaced as a whole, so that a
// repeated comparison leaves exactly what it found.

import { BREAK_CODES, BREAK_RULES } from '../../domain/contracts/break-codes.ts';
import { invariant } from '../../domain/contracts/errors.ts';
import { METERS } from '../../domain/meter.ts';
import { parseCurrency } from '../../domain/money.ts';
import type { Break } from '../compare/break.ts';
import type { ReconcileDb } from './db.ts';
import type { RunRef } from './runs.ts';

/** `invoice`: found while an account was billed. `period`: found over the period as a whole. */
export type LegGroup = 'invoice' | 'period';

const NO_METER = '';

export async function replaceAccountBreaks(db: ReconcileDb, ref: RunRef, breaks: readonly Break[]): Promise<void> {
  const remove = async (on: ReconcileDb) =>
    on
      .deleteFrom('breaks')
      .where('run', '=', ref.run)
      .where('leg_group', '=', 'invoice')
      .where('account', '=', ref.account)
      .execute();
  if (breaks.length === 0) {
    await remove(db);
    return;
  }
  await db.transaction().execute(async (tx) => {
    await remove(tx);
    await insertBreaks(tx, { run: ref.run, group: 'invoice' }, breaks);
  });
}

export async function replacePeriodBreaks(db: ReconcileDb, run: string, breaks: readonly Break[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx.deleteFrom('breaks').where('run', '=', run).where('leg_group', '=', 'period').execute();
    await insertBreaks(tx, { run, group: 'period' }, breaks);
  });
}

async function insertBreaks(
  db: ReconcileDb,
  { run, group }: { run: string; group: LegGroup },
  breaks: readonly Break[],
): Promise<void> {
  if (breaks.length === 0) return;
  const rows = breaks.map((found) => ({
    run,
    code: found.code,
    account: found.account,
    meter: found.meter ?? NO_METER,
    stage: found.stage,
    leg_group: group,
    amount_minor: found.amountMinor.toString(),
    currency: found.currency,
    hours: JSON.stringify(found.hours),
    expected: found.expected,
    actual: found.actual,
    resolution: found.resolution,
    status: found.status,
    broke_at: new Date(found.brokeAtMs),
    evidence: JSON.stringify(found.evidence),
  }));
  await db.insertInto('breaks').values(rows).execute();
}

/** Ordered by code, account and meter. */
export async function fetchBreaks(db: ReconcileDb, run: string): Promise<Break[]> {
  const rows = await db.selectFrom('breaks').selectAll().where('run', '=', run).execute();
  const breaks = rows.map((row): Break => {
    const code = BREAK_CODES.find((known) => known === row.code);
    invariant(code !== undefined, 'I8', `stored break has the unknown code ${row.code}`);
    return {
      code,
      stage: BREAK_RULES[code].stage,
      account: row.account,
      meter: METERS.find((meter) => meter === row.meter) ?? null,
      amountMinor: BigInt(row.amount_minor),
      currency: parseCurrency(row.currency),
      hours: row.hours,
      expected: row.expected,
      actual: row.actual,
      resolution: row.resolution,
      status: row.status === 'auto-accepted' ? 'auto-accepted' : 'open',
      brokeAtMs: row.broke_at.getTime(),
      evidence: row.evidence,
    };
  });
  const key = (found: Break) => `${found.code} ${found.account} ${found.meter ?? ''}`;
  return breaks.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
