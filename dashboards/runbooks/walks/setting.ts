// Who and when of the walks' world.

import { HOUR_MS, parsePeriod, type Period } from '../../../domain/period.ts';

export const PERIOD: Period = parsePeriod('2026-10');
/** Where business time stands at first: two hours before the month ends. */
export const BEGIN_MS = PERIOD.endAtMs - 2 * HOUR_MS;
/** When the usage happened that no walk is about: old enough never to be compared with a manifest. */
export const QUIET_MS = Date.UTC(2026, 9, 20, 12, 15);
/** Accounts, by what Stripe will charge them wrongly. */
export const [LARGE, SMALL] = ['acme', 'beta'] as const;
/** They act on the books: one operates and prepares, the other reviews. */
export const [OPERATOR, REVIEWER] = ['pat', 'rae'] as const;
