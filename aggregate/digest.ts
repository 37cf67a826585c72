// The digest of a closed period: one hash over the sorted totals and event digests of all namespaces and meters.

import { canonicalJson, sha256 } from '../domain/canonical.ts';
import { formatDecimal, parseDecimal } from '../domain/decimal.ts';

export type DigestRow = {
  readonly namespace: string;
  readonly meter: string;
  readonly total: string;
  readonly counted: string;
  readonly sum_of_digests: string;
  readonly xor_of_digests: string;
};

/** Order of rows and trailing zeros don't matter; every total and every event does. */
export function computePeriodDigest(period: string, rows: readonly DigestRow[]): { digest: string; events: bigint } {
  const lines = rows
    .map((row) => [
      row.namespace,
      row.meter,
      formatDecimal(parseDecimal(row.total)),
      row.counted,
      row.sum_of_digests,
      row.xor_of_digests,
    ])
    .sort((a, b) => (a.join(' ') < b.join(' ') ? -1 : 1));
  return {
    digest: sha256(canonicalJson({ period, lines })),
    events: rows.reduce((sum, row) => sum + BigInt(row.counted), 0n),
  };
}
