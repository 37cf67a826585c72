// Business time: what period states, ageing, due dates and meter timestamps go by. With TRUEUP_CLOCK=simulated it is one
// Postgres row that only fixtures advance; in production it is the wall clock. Machine time (leases, retries, timers)
// never comes from here.

import { sql } from 'kysely';
import { TrueupError } from '../domain/contracts/errors.ts';
import { toIso } from '../domain/period.ts';
import type { Postgres } from './postgres.ts';

export type BusinessClockTables = { business_clock: { id: number; now: Date } };

export type Clock = {
  /** Business time, epoch ms. Read at the start of each unit of work. */
  readonly simulated: boolean;
  now(): Promise<number>;
};

export function createClock(mode: 'simulated' | 'wall', db: Postgres<BusinessClockTables>): Clock {
  if (mode === 'wall') return { simulated: false, now: () => Promise.resolve(Date.now()) };
  return {
    simulated: true,
    now: async () => {
      const row = await db.selectFrom('business_clock').select('now').executeTakeFirst();
      if (row === undefined) {
        throw new TrueupError({
          kind: 'unavailable',
          code: 'CLOCK_NOT_SET',
          message: 'the simulated clock has not been set',
          next: 'advance it with advanceClock before the first unit of work',
        });
      }
      return row.now.getTime();
    },
  };
}

/** Moves the simulated clock forward; setting it to the same instant again is harmless. Throws on a step backwards. */
export async function advanceClock(db: Postgres<BusinessClockTables>, toMs: number): Promise<void> {
  const now = new Date(toMs);
  const row = await db
    .insertInto('business_clock')
    .values({ id: 1, now })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet({ now })
        .where(sql<boolean>`business_clock.now <= excluded.now`),
    )
    .returning('now')
    .executeTakeFirst();
  if (row === undefined) {
    throw new TrueupError({
      kind: 'conflict',
      code: 'CLOCK_BACKWARDS',
      message: `business time can't go back to ${toIso(toMs)}`,
    });
  }
}
