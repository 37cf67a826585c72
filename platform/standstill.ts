// When work stands still: something is left to do and the position has not moved. Pure; the caller looks now and then and
// keeps the state. An idle worker never stands still, and a busy one may be behind for as long as it moves.

export type Progress = {
  /** Work that is left; 0 is idle. */
  readonly behind: bigint;
  /** Moves with every unit of work that is done. */
  readonly position: bigint;
};

export type Standstill = { readonly position: bigint; readonly sinceMs: number };

/** The next state; `sinceMs` is when the position was first seen where it is, or the last time nothing was left. */
export function followProgress(
  before: Standstill | undefined,
  { behind, position }: Progress,
  nowMs: number,
): Standstill {
  if (before === undefined || behind === 0n || before.position !== position) return { position, sinceMs: nowMs };
  return before;
}
