// The room's view of the one Postgres database.

import type { Kysely } from 'kysely';
import type { ReconcileTables } from './tables.ts';

export type ReconcileDb = Kysely<ReconcileTables>;
