// How fast rules live. At speed 1 a `5m` is five minutes; at speed 60 the same code gives rules whose five minutes take
// five seconds, so that a rehearsal can wait for what on-call would wait for. All of a rule's durations shrink alike.

export type Duration = `${number}${'s' | 'm' | 'h' | 'd'}`;

export type Pace = {
  /** As Prometheus and Alertmanager write it. */
  readonly duration: (of: Duration) => string;
  /** Machine time only: business time has a clock of its own. */
  readonly seconds: (of: Duration) => number;
};

const UNIT_SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

export function toSeconds(duration: Duration): number {
  const unit = duration.slice(-1) as keyof typeof UNIT_SECONDS;
  return Number(duration.slice(0, -1)) * UNIT_SECONDS[unit];
}

export function createPace(speed: number): Pace {
  return {
    duration: (of) => (speed === 1 ? of : `${Math.max(1, Math.round((toSeconds(of) * 1_000) / speed))}ms`),
    seconds: (of) => toSeconds(of) / speed,
  };
}

export const REAL_PACE = createPace(1);
