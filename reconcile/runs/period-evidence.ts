// The sides of a run's period, read back from its evidence.

import { invariant } from '../../domain/contracts/errors.ts';
import type { ReconcileDb } from '../store/db.ts';
import { fetchEvidence } from '../store/evidence.ts';
import type { Run } from '../store/runs.ts';
import { fromPeriodRecord, type PeriodSides } from './period-sides.ts';

/** Throws `bug` before the run's period was compared. */
export async function fetchPeriodSides(db: ReconcileDb, { run, periodEvidence }: Run): Promise<PeriodSides> {
  const [record] = (await fetchEvidence(db, periodEvidence)).values();
  invariant(record !== undefined, 'I9', `run ${run} stored no sides of its period`);
  return fromPeriodRecord(record.content);
}
