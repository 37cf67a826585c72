import { describe, expect, test } from 'vitest';
import { computeAgreement, type AgreementHistory } from '../../domain/agreement.ts';
import { DAY_MS, parsePeriod } from '../../domain/period.ts';
import { computeExpectedInvoice } from '../../domain/rating-invoice.ts';
import { ratePeriod, type MeterQuantities } from '../../domain/rating.ts';
import { computeRated } from './rated.ts';

const period = parsePeriod('2026-10');
const middle = period.startAtMs + 14 * DAY_MS;
const nothing: MeterQuantities = { actions: 0n, active_storage: 0n, retained_storage: 0n };

function rate(over: Partial<AgreementHistory>, ...usage: MeterQuantities[]) {
  const history: AgreementHistory = {
    account: 'acme',
    currency: 'usd',
    createdAtMs: period.startAtMs,
    plans: [{ effectiveFromMs: period.startAtMs, value: 'business' }],
    contracts: [],
    fees: [],
    standings: [],
    discounts: [],
    taxes: [],
    commitments: [],
    grants: [],
    creditsUsed: [],
    ...over,
  };
  const agreement = computeAgreement(history, period);
  const segments = agreement.segments.map(({ startAtMs, endAtMs, terms }, index) => {
    return { startAtMs, endAtMs, terms, quantities: usage[index] ?? nothing };
  });
  const expected = computeExpectedInvoice(agreement, usage, []);
  return { segments, rated: computeRated({ expected, segments }) };
}

const summarize = ({ rated }: ReturnType<typeof rate>) =>
  rated.lines.map(({ meter, partStartAtMs, tier, quantity, amountMinor }) => [
    meter,
    (partStartAtMs - period.startAtMs) / DAY_MS,
    tier,
    quantity,
    amountMinor,
  ]);

describe('own rating as a run stores it', () => {
  test.each([nothing, { actions: 60_000_001n, active_storage: 2_000_003n, retained_storage: 0n }])(
    'is the rating of the whole period where nothing changes in it',
    (usage) => {
      const { segments, rated } = rate({}, usage);
      const [only] = segments;
      const whole = only === undefined ? undefined : ratePeriod(only.terms, usage);
      expect(rated).toMatchObject({ usageMinor: whole?.usageMinor, feeMinor: whole?.feeMinor });
      expect(rated.lines).toEqual(whole?.lines.map((line) => ({ ...line, partStartAtMs: period.startAtMs })));
    },
  );

  test('keeps the parts of a meter apart, each with tiers of its own', () => {
    const plans = [
      { effectiveFromMs: period.startAtMs, value: 'developer' as const },
      { effectiveFromMs: middle, value: 'business' as const },
    ];
    const before = { ...nothing, actions: 40_000_000n };
    expect(summarize(rate({ plans }, before, { ...nothing, actions: 60_000_000n }))).toEqual([
      ['actions', 0, 0, 40_000_000n, 20_000n],
      ['actions', 14, 0, 25_000_000n, 0n],
      ['actions', 14, 1, 35_000_000n, 17_500n],
      ['active_storage', 14, 0, 0n, 0n],
      ['retained_storage', 14, 0, 0n, 0n],
    ]);
  });

  test('has a line of no money for usage that is not charged, so that every unit stands somewhere', () => {
    const standings = [
      { effectiveFromMs: period.startAtMs, value: 'trialing' as const },
      { effectiveFromMs: middle, value: 'active' as const },
    ];
    const used = { ...nothing, actions: 25_000_001n };
    expect(summarize(rate({ standings }, used, used))).toEqual([
      ['actions', 0, 0, 25_000_001n, 0n],
      ['actions', 14, 0, 25_000_000n, 0n],
      ['actions', 14, 1, 1n, 0n],
      ['active_storage', 14, 0, 0n, 0n],
      ['retained_storage', 14, 0, 0n, 0n],
    ]);
    const [trial] = standings;
    expect(summarize(rate({ standings: trial === undefined ? [] : [trial] }, used))).toEqual([
      ['actions', 0, 0, 25_000_001n, 0n],
      ['active_storage', 0, 0, 0n, 0n],
      ['retained_storage', 0, 0, 0n, 0n],
    ]);
  });
});
