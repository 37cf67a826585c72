// Which part of the past a run looks at: always what stands as a finding, always the newest, and a random part of the
// rest, so that every window is looked at sooner or later and a finding is looked at again until it is resolved.

import type { Finding } from './findings.ts';
import type { FindingKind } from '../../domain/contracts/integrity-findings.ts';

export type Sampling = {
  /** Hours, and marks of blocks, drawn per run, besides the newest and those of standing findings. */
  readonly hours: number;
  readonly blocks: number;
  readonly standing: readonly Finding[];
  readonly random: () => number;
  pick<T extends string | number>(candidates: readonly T[], count: number, ...kinds: FindingKind[]): T[];
};

export const NEWEST = 3;

/** Evidence field that says where a finding is to be looked for again, besides its key. */
const WHERE = 'hour';

export type SamplingOptions = {
  readonly hours: number;
  readonly blocks: number;
  readonly standing: readonly Finding[];
  readonly random: () => number;
};

export function createSampling({ hours, blocks, standing, random }: SamplingOptions): Sampling {
  return {
    hours,
    blocks,
    standing,
    random,
    pick: (candidates, count, ...kinds) => {
      const again = new Set(
        standing
          .filter(({ kind }) => kinds.includes(kind))
          .flatMap(({ key, evidence }) => [key, String(evidence[WHERE] ?? '')]),
      );
      const picked = new Set(candidates.filter((one) => again.has(String(one))));
      for (const one of candidates.slice(-NEWEST)) picked.add(one);
      const rest = candidates.filter((one) => !picked.has(one));
      for (let drawn = 0; drawn < count && rest.length > 0; drawn += 1) {
        const [one] = rest.splice(Math.floor(random() * rest.length), 1);
        if (one !== undefined) picked.add(one);
      }
      return [...picked];
    },
  };
}
