// When something that was taken or failed is due again. The database's own clock decides: several processes need not agree
// on the time.

import { sql } from 'kysely';

export type Deferral = { readonly pauseMs: number; readonly failure: string };

export function after(delayMs: number) {
  return sql<Date>`now() + ${delayMs} * interval '1 millisecond'`;
}
