// A month of sixty accounts with every break code in it, for tests and for looking at the page. Rated, compared and
// assembled by the product's own pure code, so its bridges tie the way real ones do. Deterministic.

import { sha256 } from '../../domain/canonical.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import { HOUR_MS, parsePeriod } from '../../domain/period.ts';
import { termsAt, type PlanId } from '../../domain/price-book.ts';
import { ratePeriod, type MeterQuantities } from '../../domain/rating.ts';
import type { BilledLine } from '../billing/port.ts';
import { toBreak, type Break, type Finding } from '../compare/break.ts';
import { compareLate, compareUnattributed } from '../compare/late.ts';
import { agreeingLines, invoiceOf, sampleBiller, sampleOwn } from '../compare/testing/sides.ts';
import { assembleReport, type ReportInput } from '../report/assemble.ts';
import type { Report } from '../report/types.ts';
import { computeAccountResult } from '../runs/account-result.ts';
import type { RunAccount } from '../store/runs.ts';
import type { StoredLine } from '../store/rated.ts';

const PERIOD = parsePeriod('2026-10');
const CLOSED_AT_MS = PERIOD.endAtMs + 48 * HOUR_MS;
const REPORTED_AT_MS = CLOSED_AT_MS + 24 * HOUR_MS;

type Fault =
  'notSent' | 'overSent' | 'quantity' | 'price' | 'tier' | 'fee' | 'missing' | 'rounding' | 'late' | 'failed';

const FAULTS: Readonly<Record<number, readonly Fault[]>> = {
  1: ['notSent'],
  4: ['quantity', 'late'],
  7: ['rounding'],
  9: ['tier'],
  13: ['notSent', 'overSent'],
  17: ['price'],
  20: ['late'],
  22: ['missing'],
  26: ['rounding'],
  31: ['fee'],
  33: ['failed'],
  38: ['late'],
  41: ['price', 'quantity'],
  44: ['rounding'],
  52: ['overSent'],
};

const FIRST = ['amber', 'birch', 'cobalt', 'delta', 'ember', 'fjord', 'granite', 'harbour', 'indigo', 'juniper'];
const SECOND = ['freight', 'health', 'labs', 'mobility', 'payments', 'robotics'];

type Sample = { account: RunAccount; lines: StoredLine[]; breaks: Break[]; quantities: MeterQuantities };

/** `name` replaces the name of the largest account, for tests of hostile names. */
export function sampleReport({ faults = true, name }: { faults?: boolean; name?: string } = {}): Report {
  const samples = Array.from({ length: 60 }, (_, index) => {
    const account = index === 1 && name !== undefined ? name : accountName(index);
    return toSample(account, index, faults ? (FAULTS[index] ?? []) : []);
  });
  return assembleReport(toInput(samples, faults));
}

function accountName(index: number): string {
  return `${FIRST[index % FIRST.length] ?? ''}-${SECOND[Math.floor(index / FIRST.length)] ?? ''}`;
}

/** Zipf-like: the first accounts carry most of the usage. */
function quantitiesOf(index: number): MeterQuantities {
  const share = 9_600_000_000n / BigInt(index + 1);
  return {
    actions: share / 10n + BigInt((index * 7919) % 9973) * 10n,
    active_storage: share / 900n + BigInt((index * 104_729) % 9973),
    retained_storage: share / 31n + BigInt((index * 1_299_709) % 99_991),
  };
}

function planOf(index: number): PlanId {
  if (index < 6) return 'enterprise';
  return index % 4 === 0 ? 'developer' : 'business';
}

function toSample(account: string, index: number, faults: readonly Fault[]): Sample {
  const terms = termsAt(account, planOf(index), [], PERIOD.startAtMs);
  const quantities = quantitiesOf(index);
  const rated = ratePeriod(terms, quantities);
  const has = (fault: Fault) => faults.includes(fault);
  const failed = has('failed');

  const hours = spread(quantities.actions);
  const billers = new Map(hours);
  if (has('notSent')) [81, 82, 83, 340, 341].forEach((hour) => billers.delete(PERIOD.startAtMs + hour * HOUR_MS));
  if (has('overSent')) billers.set(PERIOD.startAtMs + 500 * HOUR_MS, quantities.actions / 40n);
  const summaries = { ...quantities, actions: [...billers.values()].reduce((sum, quantity) => sum + quantity, 0n) };
  const held = has('notSent') || has('overSent');

  const agreed = sampleOwn({ terms: [terms], quantities: [quantities] });
  const own = { ...agreed, account, hours: { actions: hours }, holds: held ? ['USAGE_DIFFERS'] : [] };
  const number = `TRUE-${String(index + 1).padStart(4, '0')}`;
  const id = `in_${sha256(`invoice ${account}`).slice(0, 24)}`;
  const status = held ? 'draft' : 'open';
  const invoices = has('missing') ? [] : [invoiceOf(chargedLines(agreeingLines(own), faults), { id, number, status })];
  const biller = { ...sampleBiller(own, invoices), summaries, hours: { actions: billers } };
  const { findings, state, invoice, compared } = computeAccountResult({ own, biller, at: { nowMs: CLOSED_AT_MS } });
  const late = has('late') ? lateFinding(account, terms, quantities.actions) : [];
  return {
    quantities,
    lines: failed ? [] : rated.lines.map((line) => ({ ...line, account })),
    breaks: [...(failed ? [] : findings), ...late].map((finding) => found(finding)),
    account: {
      account,
      currency: 'usd',
      planId: terms.planId,
      state: failed ? 'failed' : state,
      reasons: held ? ['USAGE_DIFFERS'] : failed ? ['STRIPE_UNAVAILABLE'] : [],
      rated: failed ? null : { usageMinor: rated.usageMinor, feeMinor: rated.feeMinor },
      summaries: failed ? {} : summaries,
      invoices: has('missing') ? [] : [{ id, draft: failed || state !== 'billed' }],
      invoice: failed ? null : invoice,
      compared: failed ? null : compared,
      evidence: [sha256(`account ${account}`)],
    },
  };
}

/** Evenly over 600 hours, the remainder in the first. */
function spread(quantity: bigint): Map<number, bigint> {
  const each = quantity / 600n;
  const hours = Array.from({ length: 600 }, (_, hour) => [PERIOD.startAtMs + hour * HOUR_MS, each] as const);
  return new Map(hours).set(PERIOD.startAtMs, each + (quantity % 600n));
}

function chargedLines(lines: readonly BilledLine[], faults: readonly Fault[]): BilledLine[] {
  const last = lines.findLastIndex(({ meter }) => meter === 'actions');
  return lines.map((line, index): BilledLine => {
    if (line.kind === 'plan_fee')
      return { ...line, amountMinor: line.amountMinor - (faults.includes('fee') ? 5_000n : 0n) };
    const faulty = (fault: Fault, by: bigint) => (index === last && faults.includes(fault) ? by : 0n);
    const off = faulty('tier', 12_500n) + faulty('rounding', -1n) + faulty('price', 1_875n);
    return {
      ...line,
      priceId: faulty('price', 1n) === 1n ? 'actions-developer-2026-01' : line.priceId,
      quantity: line.quantity + faulty('quantity', 40_000n),
      amountMinor: line.amountMinor + off,
    };
  });
}

function lateFinding(account: string, terms: ReturnType<typeof termsAt>, closed: bigint): Finding[] {
  const change = {
    account,
    namespace: `orders.${account}`,
    meter: 'actions' as const,
    closed,
    withLate: closed + 31_330n,
  };
  return compareLate([{ id: account, currency: 'usd', terms }], new Map([[`${account} actions`, closed]]), [change]);
}

function found(finding: Finding): Break {
  const first = finding.hours[0];
  const brokeAtMs = finding.code === 'USAGE_LATE' ? CLOSED_AT_MS : (first ?? PERIOD.endAtMs);
  const evidence = [sha256(`evidence ${finding.code} ${finding.account} ${finding.meter ?? ''}`)];
  return toBreak(finding, brokeAtMs, evidence);
}

function toInput(samples: readonly Sample[], faults: boolean): ReportInput {
  const namespaced = (account: string, meter: MeterName, quantity: bigint) => ({
    account,
    namespace: `orders.${account}`,
    meter,
    quantity,
    events: quantity / 1000n,
  });
  const stray = faults
    ? [namespaced('nobody-yet', 'actions', 4_260n), namespaced('nobody-yet', 'active_storage', 91n)]
    : [];
  const totals = samples.flatMap(({ account, quantities }) =>
    METERS.map((meter) => namespaced(account.account, meter, quantities[meter])),
  );
  const unattributed = compareUnattributed(new Set(samples.map(({ account }) => account.account)), stray, []);
  const rejectedByReason: Readonly<Record<string, bigint>> = faults
    ? {
        LINE_TOO_LARGE: 3n,
        NOT_JSON: 418n,
        ATTRIBUTE_MISSING: 122n,
        SUBJECT_INVALID: 57n,
        KEY_MISMATCH: 9n,
        TIME_TOO_OLD: 1_204n,
      }
    : {};
  const rejected = Object.values(rejectedByReason).reduce((sum, count) => sum + count, 0n);
  const barrier = ['250114', '249871', '250390', '250022', '249466', '250903', '250217', '249980'];
  return {
    period: PERIOD,
    run: {
      run: 'close-2026-10-1',
      period: PERIOD.key,
      openedAtMs: CLOSED_AT_MS,
      batches: 4,
      barrier,
      digest: sha256('closed usage'),
      closedEvents: faults ? 1_978_204n : 1_986_400n,
      lateBarrier: barrier.map(
        (offset) => `${offset.slice(0, 3)}${String(Number(offset.slice(3)) + 12).padStart(3, '0')}`,
      ),
      codeVersion: '0.1.0+4f0c2a9',
      pins: null,
      periodEvidence: [],
    },
    accounts: samples.map(({ account }) => account),
    lines: samples.flatMap(({ lines }) => lines),
    breaks: [...samples.flatMap(({ breaks }) => breaks), ...(faults ? unattributed.map(found) : [])],
    totals: [...totals, ...stray],
    ingest: {
      messages: 2_000_963n,
      accepted: 2_000_963n - rejected,
      rejected,
      rejectedByReason,
      conflicts: faults ? 211n : 0n,
      unique: 1_990_512n,
    },
    reportedAtMs: REPORTED_AT_MS,
    emitted: 1_990_512n,
  };
}
