// What each namespace cost, after FOCUS 1.2 (FinOps Open Cost and Usage Specification): tiers are the account's, so its
// meter amounts are spread over its namespaces in proportion to what they used, by largest remainder. The rows of an account
// add up to its invoice: what was charged otherwise than rated stands in a row of its own. Pure.

import type { NamespaceTotal } from '../../aggregate/usage.ts';
import { formatDecimal } from '../../domain/decimal.ts';
import { meterUnits, toSpoken, type MeterName } from '../../domain/meter.ts';
import { allocate, type Currency } from '../../domain/money.ts';
import type { AccountRow, Report } from '../report/types.ts';
import { money, text, type Cell, type Table } from './table.ts';

const COLUMNS = [
  'BillingAccountId',
  'SubAccountId',
  'BillingPeriodStart',
  'BillingPeriodEnd',
  'ChargePeriodStart',
  'ChargePeriodEnd',
  'ChargeCategory',
  'ChargeFrequency',
  'ChargeDescription',
  'ServiceCategory',
  'ServiceName',
  'ProviderName',
  'InvoiceIssuerName',
  'InvoiceId',
  'SkuId',
  'SkuPriceId',
  'ConsumedQuantity',
  'ConsumedUnit',
  'BilledCost',
  'EffectiveCost',
  'BillingCurrency',
] as const;

/** The issuer as it stands on the invoices; a deployment puts its own name here. */
export type FocusOptions = { readonly provider: string };

type Charge = {
  readonly namespace: string | null;
  readonly category: 'Usage' | 'Purchase' | 'Adjustment';
  readonly frequency: 'Usage-Based' | 'Recurring' | 'One-Time';
  readonly description: string;
  readonly meter: MeterName | null;
  readonly priceId: string | null;
  readonly quantity: bigint | null;
  /** Null where no invoice was issued. */
  readonly billedMinor: bigint | null;
  readonly effectiveMinor: bigint;
};

export function costPerNamespaceTable(
  report: Report,
  totals: readonly NamespaceTotal[],
  { provider }: FocusOptions = { provider: 'Trueup' },
): Table {
  const byAccount = Map.groupBy(totals, ({ account }) => account);
  const invoices = new Map(
    report.invoices.filter(({ status }) => status !== 'draft').map((invoice) => [invoice.account, invoice]),
  );
  const rows = report.accounts.flatMap((account) =>
    chargesOf(account, byAccount.get(account.account) ?? []).map((charge) =>
      toRow(charge, {
        account: account.account,
        currency: account.currency,
        report,
        provider,
        invoice: invoices.get(account.account)?.id ?? '',
      }),
    ),
  );
  return { name: 'focus_cost_and_usage', columns: COLUMNS, rows };
}

function chargesOf(account: AccountRow, totals: readonly NamespaceTotal[]): Charge[] {
  const invoiced = account.invoicedMinor === null ? null : BigInt(account.invoicedMinor);
  const billed = (minor: bigint) => (invoiced === null ? null : minor);
  const usage = account.meters.flatMap(({ meter, priceId, amountMinor }): Charge[] => {
    const used = totals.filter((total) => total.meter === meter && total.quantity > 0n);
    if (used.length === 0) return [];
    const shares = allocate(
      BigInt(amountMinor),
      used.map(({ quantity }) => quantity),
    );
    return used.map(({ namespace, quantity }, index) => ({
      namespace,
      category: 'Usage',
      frequency: 'Usage-Based',
      description: `${meterUnits(meter).spokenUnit} of ${namespace}`,
      meter,
      priceId,
      quantity,
      billedMinor: billed(shares[index] ?? 0n),
      effectiveMinor: shares[index] ?? 0n,
    }));
  });
  const feeMinor = BigInt(account.feeMinor ?? '0');
  const fee: Charge[] = feeMinor === 0n ? [] : [accountCharge('Purchase', 'Plan fee', billed(feeMinor), feeMinor)];
  const ratedMinor = [...usage, ...fee].reduce((sum, { effectiveMinor }) => sum + effectiveMinor, 0n);
  const otherwise = invoiced === null ? 0n : invoiced - ratedMinor;
  const other: Charge[] =
    otherwise === 0n
      ? []
      : [accountCharge('Adjustment', 'Charged otherwise than rated; see the breaks', otherwise, 0n)];
  return [...usage, ...fee, ...other];
}

function accountCharge(
  category: 'Purchase' | 'Adjustment',
  description: string,
  billedMinor: bigint | null,
  effectiveMinor: bigint,
): Charge {
  const frequency = category === 'Purchase' ? 'Recurring' : 'One-Time';
  return {
    namespace: null,
    category,
    frequency,
    description,
    meter: null,
    priceId: null,
    quantity: null,
    billedMinor,
    effectiveMinor,
  };
}

type Place = {
  readonly account: string;
  readonly currency: Currency;
  readonly report: Report;
  readonly provider: string;
  readonly invoice: string;
};

function toRow(charge: Charge, { account, currency, report, provider, invoice }: Place): Cell[] {
  const { meter } = charge;
  return [
    text(account),
    text(charge.namespace ?? ''),
    text(report.periodStart),
    text(report.periodEnd),
    text(report.periodStart),
    text(report.periodEnd),
    text(charge.category),
    text(charge.frequency),
    text(charge.description),
    text('Developer Tools'),
    text('Workflow orchestration'),
    text(provider),
    text(provider),
    text(invoice),
    text(meter ?? 'plan_fee'),
    text(charge.priceId ?? ''),
    charge.quantity === null || meter === null ? text(null) : consumed(meter, charge.quantity),
    text(meter === null ? '' : meterUnits(meter).spokenUnit),
    money(charge.billedMinor, currency),
    money(charge.effectiveMinor, currency),
    text(currency.toUpperCase()),
  ];
}

/** In the unit people speak of, exactly. */
function consumed(meter: MeterName, quantity: bigint): Cell {
  const spoken = toSpoken(meter, quantity);
  return { kind: 'number', text: formatDecimal(spoken), decimals: spoken.scale };
}
