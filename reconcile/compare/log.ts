// Legs S0, L0 and L1 over a period as a whole: what sources say they sent, what the log holds, what was stored, and what was
// rolled up. These breaks are of no one account unless usage names it; they carry money only where a quantity does. Pure.

import type { BreakCode } from '../../domain/contracts/break-codes.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import { LIST_CURRENCY } from '../../domain/price-book.ts';
import { rateMeter, sumLines } from '../../domain/rating.ts';
import type { Finding, LegResult, NotYetDue } from './break.ts';
import type { LateAccount } from './late.ts';
import type { CompareAt } from './sides.ts';

/** Stands where a break is of no one account. */
export const ALL_ACCOUNTS = '*';

/** Distinct events of one source, or of all: what its manifests announce, and what of it was accepted or rejected by name. */
export type Announced = { readonly source: string; readonly announced: bigint; readonly arrived: bigint };

/** Leg S0. A source's buffers may trail its manifest, so a shortfall is expected until `dueAtMs`. */
export function compareManifests(sources: readonly Announced[], dueAtMs: number, at: CompareAt): LegResult {
  const short = sources.filter(({ announced, arrived }) => arrived < announced);
  if (at.nowMs >= dueAtMs) {
    if (short.length === 0) return { findings: [], expected: [] };
    // Of no account, so one difference: its case is about all sources that are short.
    const announced = short.map((of) => `${of.announced} events of ${of.source}`).join('; ');
    return {
      findings: [toFinding('MANIFEST_SHORT', announced, short.map(({ arrived }) => arrived).join('; '))],
      expected: [],
    };
  }
  const expected = short.map(({ source, announced, arrived }): NotYetDue => {
    const why = `${announced - arrived} events of ${source} are under way`;
    return {
      what: 'usage',
      account: ALL_ACCOUNTS,
      meter: null,
      amountMinor: 0n,
      currency: LIST_CURRENCY,
      dueAtMs,
      why,
    };
  });
  return { findings: [], expected };
}

/** Messages of the log up to a barrier, and their fates. */
export type Logged = {
  readonly where: string;
  readonly messages: bigint;
  readonly stored: bigint;
  readonly rejected: bigint;
};

/** Leg L0: every message has one fate. More fates than messages is as wrong as fewer. */
export function compareLog(logs: readonly Logged[]): Finding[] {
  return logs
    .filter(({ messages, stored, rejected }) => messages !== stored + rejected)
    .map(({ where, messages, stored, rejected }) =>
      toFinding('USAGE_MISSING_RAW', `${messages} messages of ${where}`, `${stored} stored and ${rejected} rejected`),
    );
}

/** One account's usage of one meter twice: as it should count, and as it counts. */
export type Counted = {
  readonly account: string;
  readonly meter: MeterName;
  readonly right: bigint;
  readonly counted: bigint;
};

/** Leg L1: the rollup against a recomputation out of the raw events. */
export function compareRollups(accounts: readonly LateAccount[], totals: readonly Counted[]): Finding[] {
  return compareCounted('ROLLUP_MISMATCH', accounts, totals);
}

/** Leg L0: events that were produced again under another id, as an integrity check names them. */
export function compareDuplicates(accounts: readonly LateAccount[], totals: readonly Counted[]): Finding[] {
  return compareCounted('USAGE_DUPLICATE', accounts, totals);
}

/** Money under the agreed price; none for a name that agreed to nothing. */
function compareCounted(code: BreakCode, accounts: readonly LateAccount[], totals: readonly Counted[]): Finding[] {
  const known = new Map(accounts.map((account) => [account.id, account]));
  return totals
    .filter(({ right, counted }) => right !== counted)
    .map(({ account, meter, right, counted }) => {
      const agreed = known.get(account);
      const worth = (quantity: bigint) =>
        agreed === undefined ? 0n : sumLines(rateMeter(agreed.terms.prices[meter], quantity));
      return {
        code,
        account,
        meter,
        amountMinor: worth(right) - worth(counted),
        currency: agreed?.currency ?? LIST_CURRENCY,
        hours: [],
        expected: right.toString(),
        actual: counted.toString(),
      };
    })
    .sort((a, b) =>
      a.account < b.account ? -1 : a.account > b.account ? 1 : METERS.indexOf(a.meter) - METERS.indexOf(b.meter),
    );
}

function toFinding(code: BreakCode, expected: string, actual: string): Finding {
  const of = { account: ALL_ACCOUNTS, meter: null, amountMinor: 0n, currency: LIST_CURRENCY, hours: [] } as const;
  return { ...of, code, expected, actual };
}
