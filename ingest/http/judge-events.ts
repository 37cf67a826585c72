// Judges the events of one request: each by itself, then who may write them.

import { accountOf } from '../../domain/event.ts';
import type { Access, Directory } from './access.ts';
import { checkEvent, checkOwnership, toOutcome, type Checked, type Refused } from './admit.ts';
import type { Judged } from './outcome.ts';

/** Throws `unavailable` when it can't be known which accounts exist. */
export async function judgeEvents(
  events: readonly Buffer[],
  { permission }: Access,
  { directory, arrivalMs }: { readonly directory: Directory; readonly arrivalMs: number },
): Promise<Judged> {
  const checked = events.map((value) => checkEvent(value, arrivalMs));
  const covered = checked.flatMap((one) => (one.accepted ? [accountOf(one.event.subject)] : []));
  const known = await directory.fetchRegistered(new Set(covered));
  const verdicts = checked.map((one): Checked | Refused => {
    if (!one.accepted) return one;
    return checkOwnership(one.event, permission, (account) => known.get(account), arrivalMs) ?? one;
  });
  return {
    outcomes: verdicts.map((verdict, index) => toOutcome(index, verdict)),
    records: events.flatMap((value, index) => {
      const verdict = verdicts[index];
      return verdict?.accepted ? [{ key: verdict.key, value }] : [];
    }),
  };
}
