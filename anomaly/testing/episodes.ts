// Episodes as a detector would hand them over.

import type { Direction, Episode } from '../episode.ts';

export type EpisodeWish = {
  readonly tenant: string;
  readonly direction?: Direction;
  readonly extraMinor?: bigint;
  readonly urgency?: Episode['urgency'];
  readonly isLarge?: boolean;
  readonly meter?: string;
  readonly likelyCause?: Episode['likelyCause'];
};

export function createEpisode(wish: EpisodeWish): Episode {
  const { tenant, direction = 'more', extraMinor = 10_000n, meter = 'actions' } = wish;
  return {
    id: `${tenant}-${meter}-${direction}-1`,
    tenant: { id: tenant, name: `${tenant} Inc.`, plan: 'growth', owner: 'dana', isLarge: wish.isLarge ?? false },
    meter,
    direction,
    firstSeenMs: Date.parse('2026-10-14T08:00:00Z'),
    lastSeenMs: Date.parse('2026-10-14T08:10:00Z'),
    actual: '42000',
    expected: { low: '8000', high: '12000' },
    timesExpected: 4.2,
    pValue: 1e-9,
    money: {
      currency: 'usd',
      projectedExtraMinor: extraMinor,
      projectedInvoiceMinor: 250_000n,
      lastInvoiceMinor: 100_000n,
    },
    contributors: [{ what: 'key k-7', share: 0.81 }],
    likelyCause: wish.likelyCause ?? 'growth',
    confidence: 'high',
    urgency: wish.urgency ?? 'ticket',
  };
}

export function createEpisodes(
  count: number,
  { prefix = 'tenant', ...wish }: Omit<EpisodeWish, 'tenant'> & { readonly prefix?: string } = {},
): Episode[] {
  return Array.from({ length: count }, (_, index) =>
    createEpisode({ extraMinor: BigInt(1_000 + index), ...wish, tenant: `${prefix}-${index}` }),
  );
}
