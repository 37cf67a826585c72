// Clocks that must agree: the machine's, which business time is in production, with the servers'; and business time itself. Pure.

import { toIso } from '../../../domain/period.ts';
import { ok, problem, trap, unknown, warning, type Finding } from '../finding.ts';

/** A server's clock as it was read between two looks at our own; epoch ms. */
export type ClockReading = { readonly beforeMs: number; readonly serverMs: number; readonly afterMs: number };

const WARN_MS = 2_000;
/** A close refuses its barrier, and acceptance begins to judge wrongly, at five minutes; an alarm has to come before. */
const PROBLEM_MS = 60_000;

/** Ours minus what the answer's way may account for: what remains can't be explained by the way. */
export function judgeSkew(server: string, { beforeMs, serverMs, afterMs }: ClockReading): Finding {
  const check = `skew to ${server}`;
  const ahead = Math.max(0, serverMs - afterMs);
  const behind = Math.max(0, beforeMs - serverMs);
  const skewMs = Math.max(ahead, behind);
  const says = `${server} is ${(skewMs / 1_000).toFixed(1)} s ${ahead > 0 ? 'ahead of' : 'behind'} this machine`;
  const next = 'let NTP set both clocks';
  if (skewMs >= PROBLEM_MS) return problem(check, says, next);
  if (skewMs >= WARN_MS) return warning(check, says, next);
  return ok(check, skewMs === 0 ? 'none to be seen' : says);
}

export type BusinessClock = {
  readonly mode: 'simulated' | 'wall';
  /** The row that fixtures advance; null while there is none. */
  readonly simulatedMs: number | null;
  readonly live: boolean;
};

export function judgeBusinessClock({ mode, simulatedMs, live }: BusinessClock): Finding {
  const check = 'business clock';
  if (mode === 'wall') {
    if (simulatedMs === null) return ok(check, 'the wall clock');
    const says = `the wall clock, on a database whose simulated clock once stood at ${toIso(simulatedMs)}`;
    return trap(live, check, says, 'use a database that no demo has written to');
  }
  if (live) return problem(check, 'simulated, with a live key: nothing would start', 'set TRUEUP_CLOCK=wall');
  if (simulatedMs === null)
    return problem(check, 'simulated, but it was never set', 'start what advances it: npm run demo');
  return ok(check, `simulated, at ${toIso(simulatedMs)}`);
}

/** Under the wall clock the broker stamps records, and acceptance goes by the stamp; it tells the time in no other way. */
export function judgeBrokerClock(mode: 'simulated' | 'wall'): Finding[] {
  if (mode === 'simulated') return [];
  const why = "a broker's clock shows only on records it stamps, and nothing is written here";
  return [unknown('skew to Kafka', why, 'let NTP set the clocks of all brokers')];
}
