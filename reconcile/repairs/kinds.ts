// How each kind of repair is planned. Each looks at what the biller holds and answers with steps and where they lead, or why
// it can't be done that way. Pure.

import type { RepairKind } from '../../domain/contracts/break-codes.ts';
import { divideHalfAway } from '../../domain/decimal.ts';
import { toIso } from '../../domain/period.ts';
import { isTooOldToMeter } from '../billing/age.ts';
import type { BilledInvoice } from '../billing/port.ts';
import type { Draft, RepairInput } from './plan.ts';
import { creditedMinor, withCharged, type Standing, type StandingInvoice } from './standing.ts';
import type { RepairStep } from './steps.ts';

type Planner = (input: RepairInput, before: Standing) => Draft;

export const PLANNERS: Readonly<Record<RepairKind, Planner>> = {
  resend_hour: planResend,
  invoice_item: planItem,
  credit_note: planCredit,
  reissue: planReissue,
  next_period: planNextPeriod,
  write_off: planWriteOff,
};

function planResend(input: RepairInput, before: Standing): Draft {
  const { correction, ownHours, nowMs } = input;
  const { meter, hours } = correction;
  if (meter === null || hours.length === 0) return { why: 'the break names no hours of a meter to send again' };
  const old = hours.find((hourAtMs) => isTooOldToMeter(hourAtMs, nowMs));
  if (old !== undefined) {
    return { why: `${toIso(old)} is too old to be metered: choose invoice_item, next_period or write_off` };
  }
  const target = findInvoice(input);
  if ('why' in target) return target;
  if (target.status !== 'draft') {
    return {
      why: `invoice ${target.id} is ${target.status}: usage changes it no more; choose credit_note or next_period`,
    };
  }
  const total = [...ownHours.values()].reduce((sum, quantity) => sum + quantity, 0n);
  const sent = hours.map((hourAtMs) => ({ hourAtMs, quantity: (ownHours.get(hourAtMs) ?? 0n).toString() }));
  const steps: RepairStep[] = [{ action: 'resend_hours', meter, hours: sent, total: total.toString() }];
  return settleDraft(input, before, { target, steps });
}

function planItem(input: RepairInput, before: Standing): Draft {
  const target = findInvoice(input);
  if ('why' in target) return target;
  if (target.status !== 'draft') {
    return {
      why: `invoice ${target.id} is ${target.status}: no item can be put on it; choose credit_note or next_period`,
    };
  }
  const { correction } = input;
  if (correction.amountMinor === 0n) return { why: 'there is no money to charge or credit' };
  const steps: RepairStep[] = [
    {
      action: 'add_item',
      invoice: target.id,
      meter: correction.meter,
      amountMinor: correction.amountMinor.toString(),
      description: describe(input),
    },
  ];
  return settleDraft(input, before, { target, steps });
}

/** A held draft goes out with its last repair; while another break holds it, it stays. */
function settleDraft(
  { correction, otherBreaks }: RepairInput,
  before: Standing,
  { target, steps }: { readonly target: BilledInvoice; readonly steps: readonly RepairStep[] },
): Draft {
  const { amountMinor } = correction;
  const added = amountMinor + taxOn(amountMinor, target);
  const out = otherBreaks === 0;
  const after = change(before, target.id, (invoice) => ({
    ...invoice,
    status: out ? 'open' : 'draft',
    totalMinor: (BigInt(invoice.totalMinor) + added).toString(),
  }));
  return { steps: out ? [...steps, { action: 'finalize', invoice: target.id }] : steps, amountMinor, after };
}

function planCredit(input: RepairInput, before: Standing): Draft {
  const { correction, choice } = input;
  if (correction.amountMinor >= 0n) {
    return { why: 'the customer was not charged too much: choose invoice_item or next_period' };
  }
  const target = findInvoice(input);
  if ('why' in target) return target;
  if (target.status === 'draft') return { why: `invoice ${target.id} is a draft: choose invoice_item` };
  if (target.status === 'void') return { why: `invoice ${target.id} is void: it charges nothing` };
  const net = -correction.amountMinor;
  const credit = net + taxOn(net, target);
  const left = target.totalMinor - creditedMinor(target);
  if (credit > left)
    return { why: `invoice ${target.id} has ${left} minor units left to credit, needed are ${credit}` };
  const settle = choice.settle ?? 'balance';
  return {
    steps: [{ action: 'credit', invoice: target.id, amountMinor: credit.toString(), settle }],
    amountMinor: correction.amountMinor,
    after: change(before, target.id, (invoice) => ({
      ...invoice,
      // Nothing left to pay is paid.
      status: invoice.status === 'open' && credit >= target.amountRemainingMinor ? 'paid' : invoice.status,
      creditedMinor: (BigInt(invoice.creditedMinor) + credit).toString(),
    })),
  };
}

/** Codes of invoices that should not be there: they are voided, and nothing takes their place. */
const SURPLUS: readonly string[] = ['INVOICE_ORPHAN', 'INVOICE_DUPLICATE'];

function planReissue(input: RepairInput, before: Standing): Draft {
  const { correction, expected } = input;
  const missing = correction.code === 'INVOICE_MISSING';
  const target = missing ? null : findInvoice(input);
  if (target !== null && 'why' in target) return target;
  if (target !== null && target.status !== 'open' && target.status !== 'uncollectible') {
    return {
      why: `invoice ${target.id} is ${target.status}: only an unpaid, finalized one can be voided; choose credit_note`,
    };
  }
  const surplus = SURPLUS.includes(correction.code);
  if (!surplus && expected.length === 0)
    return { why: 'it is not known what the invoice should charge: rate the period first' };
  const items = expected.filter(({ amountMinor }) => amountMinor !== '0');
  const issued = items.reduce((sum, { amountMinor }) => sum + BigInt(amountMinor), 0n);
  const voided = target === null ? 0n : target.totalMinor - creditedMinor(target);
  const steps: RepairStep[] = [
    ...(target === null ? [] : [{ action: 'void' as const, invoice: target.id }]),
    ...(surplus ? [] : [{ action: 'issue' as const, replaces: target?.id ?? null, items }]),
  ];
  const kept = target === null ? before : change(before, target.id, (invoice) => ({ ...invoice, status: 'void' }));
  const next: StandingInvoice = { invoice: 'new', status: 'open', totalMinor: issued.toString(), creditedMinor: '0' };
  return {
    steps,
    amountMinor: (surplus ? 0n : issued) - voided,
    after: surplus ? kept : withCharged([...kept.invoices, next], 0n),
  };
}

function planNextPeriod(input: RepairInput, before: Standing): Draft {
  const { correction } = input;
  if (correction.amountMinor === 0n) return { why: 'there is no money to carry over' };
  return {
    steps: [
      {
        action: 'add_item',
        invoice: null,
        meter: correction.meter,
        amountMinor: correction.amountMinor.toString(),
        description: describe(input),
      },
    ],
    amountMinor: correction.amountMinor,
    after: withCharged(before.invoices, correction.amountMinor),
  };
}

/** Money that was invoiced and never came: the biller is told too. Everything else is given up in our books alone. */
const UNPAID: readonly string[] = ['PAYMENT_MISSING', 'PAYMENT_PARTIAL'];

function planWriteOff(input: RepairInput, before: Standing): Draft {
  if (!UNPAID.includes(input.correction.code)) return { steps: [], amountMinor: 0n, after: before };
  const target = findInvoice(input);
  if ('why' in target) return target;
  if (target.status !== 'open') return { why: `invoice ${target.id} is ${target.status}: there is nothing unpaid` };
  return {
    steps: [{ action: 'mark_uncollectible', invoice: target.id }],
    amountMinor: 0n,
    after: change(before, target.id, (invoice) => ({ ...invoice, status: 'uncollectible' })),
  };
}

/** The chosen invoice, or the only one it can be: the cycle's, or whatever stands instead of it. */
function findInvoice({ billing, choice, period }: RepairInput): BilledInvoice | { readonly why: string } {
  if (choice.invoice !== undefined) {
    const named = billing.invoices.find(({ id }) => id === choice.invoice);
    return named ?? { why: `${choice.invoice} is no invoice of this customer for ${period.key}` };
  }
  const standing = billing.invoices.filter(({ status }) => status !== 'void');
  const cycles = standing.filter(({ billingReason }) => billingReason === 'subscription_cycle');
  const [only, ...others] = cycles.length > 0 ? cycles : standing;
  if (only === undefined) return { why: `there is no invoice for ${period.key}` };
  if (others.length === 0) return only;
  return {
    why: `${period.key} has several invoices: say which of ${[only, ...others].map(({ id }) => id).join(', ')}`,
  };
}

function describe({ correction, period }: RepairInput): string {
  const what = correction.meter === null ? '' : ` of ${correction.meter.replaceAll('_', ' ')}`;
  return `Correction${what} for ${period.key} (${correction.caseId})`;
}

/** Breaks are money before tax; what is charged or credited carries the invoice's share of it. */
function taxOn(amountMinor: bigint, { subtotalMinor, discountMinor, creditMinor, taxMinor }: BilledInvoice): bigint {
  const taxed = subtotalMinor - discountMinor - creditMinor;
  return taxMinor === 0n || taxed === 0n ? 0n : divideHalfAway(amountMinor * taxMinor, taxed);
}

function change(before: Standing, id: string, to: (invoice: StandingInvoice) => StandingInvoice): Standing {
  return withCharged(
    before.invoices.map((invoice) => (invoice.invoice === id ? to(invoice) : invoice)),
    BigInt(before.nextInvoiceMinor),
  );
}
