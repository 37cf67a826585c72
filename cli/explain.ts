// trueup explain: from an invoice to its tiers, from a tier to its hours, from an hour to the raw events with their place in
// the log; and back, from an event id to the line that charged it. Reads only.

import { parseArgs } from 'node:util';
import { fetchHourEvents, fetchEventCopies } from '../aggregate/trace/trace.ts';
import type { TracedEvent } from '../aggregate/trace/fate.ts';
import { fetchPeriod } from '../aggregate/period-record.ts';
import { createUsage, type Barrier } from '../aggregate/usage.ts';
import { accountOf } from '../domain/event.ts';
import { formatDecimal } from '../domain/decimal.ts';
import { METERS, meterUnits, type MeterName } from '../domain/meter.ts';
import { formatMoney } from '../domain/money.ts';
import { HOUR_MS, hourOf, parsePeriod, periodOf, toIso } from '../domain/period.ts';
import { fetchRejects } from '../ingest/rejects.ts';
import { explainInvoice, formatQuantity, type ExplainedInvoice } from '../reconcile/door.ts';
import { UsageError, type CommandContext, type Run } from './command.ts';
import { parseInstant } from './desk.ts';
import { toJson } from './json.ts';
import { withStores, type Stores } from './stores.ts';

const EVENTS_DEFAULT = 50;

type ChargedLine = NonNullable<ExplainedInvoice['billed']>['lines'][number];

export const run: Run = async (args, context) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      line: { type: 'string' },
      hour: { type: 'string' },
      subject: { type: 'string' },
      source: { type: 'string' },
      limit: { type: 'string', default: String(EVENTS_DEFAULT) },
      json: { type: 'boolean', default: false },
    },
  });
  const [what, id, ...rest] = positionals;
  if ((what !== 'invoice' && what !== 'event') || id === undefined || rest.length > 0) {
    throw new UsageError('say invoice <id or number>, or event <id>');
  }
  const limit = Number(values.limit);
  if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit is a whole number of at least 1');
  return withStores(context, async (stores) => {
    const desk: Desk = { stores, context, json: values.json, limit };
    if (what === 'event') return event(desk, { id, subject: values.subject, source: values.source });
    return invoice(desk, { id, line: values.line, hour: values.hour });
  });
};

type Desk = {
  readonly stores: Stores;
  readonly context: CommandContext;
  readonly json: boolean;
  readonly limit: number;
};

async function invoice(
  desk: Desk,
  { id, line, hour }: { id: string; line: string | undefined; hour: string | undefined },
): Promise<number> {
  const { stores, context } = desk;
  const found = await explainInvoice(stores.db, id);
  if (line === undefined) {
    if (hour !== undefined)
      throw new UsageError('--hour needs --line <meter>, since an hour has usage of several meters');
    if (desk.json) context.print(toJson(found));
    else for (const text of describeInvoice(found)) context.print(text);
    return 0;
  }
  const meter = METERS.find((name) => name === line);
  if (meter === undefined) throw new UsageError(`--line is one of ${METERS.join(', ')}`);
  return hour === undefined ? hours(desk, found, meter) : eventsOfHour(desk, { found, meter, hour });
}

function describeInvoice(found: ExplainedInvoice): string[] {
  const { currency } = found;
  const amount = (minor: bigint) => formatMoney(minor, currency).padStart(16);
  const lines = [
    `invoice ${found.invoice} (${found.number ?? 'no number yet'}, ${found.status}) of ${found.account} for ${found.period}, ${currency.toUpperCase()}`,
    `run ${found.run}`,
    '',
    'rated by us',
  ];
  for (const { meter, priceId, quantity, amountMinor, tiers } of found.meters) {
    lines.push(`  ${meter}  ${spoken(meter, quantity)}  by price ${priceId}`);
    const parts = new Set(tiers.map(({ partStartAtMs }) => partStartAtMs)).size;
    for (const tier of tiers) {
      const each = formatDecimal({
        ...tier.unitAmount,
        units: tier.unitAmount.units * meterUnits(meter).perSpokenUnit,
      });
      const part = parts > 1 ? `from ${toIso(tier.partStartAtMs)}, ` : '';
      const label = `    ${part}tier ${tier.tier + 1}: ${spoken(meter, tier.quantity)} at ${each} minor units`;
      lines.push(`${label.padEnd(76)} ${amount(tier.amountMinor)}`);
    }
    if (tiers.length > 1) lines.push(`${`    ${meter} together`.padEnd(76)} ${amount(amountMinor)}`);
  }
  if (found.feeMinor !== null) lines.push(`${'  plan fee'.padEnd(76)} ${amount(found.feeMinor)}`);
  if (found.usageMinor !== null && found.feeMinor !== null) {
    lines.push(`${'  rated'.padEnd(76)} ${amount(found.usageMinor + found.feeMinor)}`);
  }
  lines.push('', 'charged by Stripe', ...describeCharged(found, amount));
  lines.push('', found.breaks.length === 0 ? 'no breaks' : 'breaks');
  for (const { code, meter, amountMinor, expected, actual, status } of found.breaks) {
    const label = `  ${code} ${meter ?? ''} expected ${expected}, is ${actual} (${status})`;
    lines.push(`${label.padEnd(76)} ${amount(amountMinor)}`);
  }
  const example = found.meters[0]?.meter ?? METERS[0];
  lines.push('', `next: --line ${example} for its hours, then --hour <hour> for the events behind one`);
  return lines;
}

function describeCharged({ billed }: ExplainedInvoice, amount: (minor: bigint) => string): string[] {
  if (billed === null || billed.status === 'draft') return ['  nothing: it is a draft, whose lines are estimates'];
  const row = (label: string, minor: bigint) => `${label.padEnd(76)} ${amount(minor)}`;
  const reductions = [
    { label: '  discounts', minor: -billed.discountMinor },
    { label: '  prepaid credit', minor: -billed.creditMinor },
    { label: '  tax', minor: billed.taxMinor },
  ].filter(({ minor }) => minor !== 0n);
  return [
    ...billed.lines.map((line) => row(`  ${line.id}  ${describeLine(line)}`, line.amountMinor)),
    ...reductions.map(({ label, minor }) => row(label, minor)),
    row('  invoiced', billed.totalMinor),
    ...billed.creditNotes.map((note) =>
      row(`  credit note ${note.number ?? note.id} ${note.status} ${note.caseId ?? ''}`.trimEnd(), -note.amountMinor),
    ),
  ];
}

function describeLine({ kind, meter, quantity, priceId, caseId }: ChargedLine): string {
  if (meter !== null && priceId !== null) return `${meter} ${spoken(meter, quantity)} by ${priceId}`;
  return [kind.replaceAll('_', ' '), meter, caseId].filter((word) => word !== null).join(' ');
}

async function hours(desk: Desk, found: ExplainedInvoice, meter: MeterName): Promise<number> {
  const usage = createUsage(desk.stores.deps);
  const closed = await usage.fetchClosedHours(parsePeriod(found.period), found.account);
  const own = closed.filter((hour) => hour.meter === meter).sort((a, b) => a.hourAtMs - b.hourAtMs);
  if (desk.json) {
    desk.context.print(toJson(own));
    return 0;
  }
  for (const { hourAtMs, quantity } of own) {
    desk.context.print(`${toIso(hourAtMs)}  ${spoken(meter, quantity).padStart(28)}`);
  }
  const total = own.reduce((sum, { quantity }) => sum + quantity, 0n);
  const rated = found.meters.find((one) => one.meter === meter)?.quantity ?? 0n;
  desk.context.print(`${'together'.padEnd(24)}  ${spoken(meter, total).padStart(28)}`);
  if (total === rated) return 0;
  desk.context.print(`${'rated'.padEnd(24)}  ${spoken(meter, rated).padStart(28)}  DIFFERS`);
  return 1;
}

async function eventsOfHour(
  { stores, context, json, limit }: Desk,
  { found, meter, hour }: { found: ExplainedInvoice; meter: MeterName; hour: string },
): Promise<number> {
  const hourAtMs = hourOf(parseInstant('--hour', hour));
  const period = await fetchPeriod(stores.db, parsePeriod(found.period));
  const of = { account: found.account, meter, hourAtMs, limit };
  const events = await fetchHourEvents(stores.deps.clickhouse, of, period?.barrier ?? null);
  const rejects = await fetchRejects(stores.deps.clickhouse, {
    account: found.account,
    fromMs: hourAtMs,
    toMs: hourAtMs + HOUR_MS,
    limit,
  });
  if (json) {
    context.print(
      toJson({
        events,
        rejected: rejects.map(({ partition, offset, arrivedAtMs, reason, field, subject, source }) => {
          return { partition, offset, arrivedAtMs, reason, field, subject, source };
        }),
      }),
    );
    return 0;
  }
  for (const one of events) context.print(describeEvent(one, stores.topic));
  if (events.length === limit) context.warn(`the first ${limit}; --limit shows more`);
  for (const { reason, partition, offset, field } of rejects) {
    context.print(`rejected on arrival in this hour: ${reason} ${field}  ${stores.topic}/${partition}@${offset}`);
  }
  return 0;
}

async function event(
  { stores, context, json }: Desk,
  of: { id: string; subject: string | undefined; source: string | undefined },
): Promise<number> {
  const barriers = await fetchBarriers(stores);
  const copies = await fetchEventCopies(stores.deps.clickhouse, of, (period) => barriers.get(period) ?? null, periodOf);
  const traced = copies.filter(({ id, type }) => id === of.id || type === 'void');
  const charges = [];
  for (const copy of traced) charges.push({ copy, charge: await fetchCharge(stores, copy) });
  if (json) context.print(toJson(charges));
  else {
    for (const { copy, charge } of charges) {
      context.print(describeEvent(copy, stores.topic));
      context.print(`  ${describeCharge(copy, charge)}`);
    }
  }
  if (traced.length > 0) return 0;
  context.warn(`no stored event has the id ${of.id}; trueup rejects list may have it`);
  return 1;
}

async function fetchBarriers({ db }: Stores): Promise<Map<string, Barrier>> {
  const rows = await db.selectFrom('periods').select(['key', 'barrier']).execute();
  return new Map(rows.map(({ key, barrier }) => [key, barrier.map(BigInt)]));
}

type Charge = { readonly invoice: string; readonly number: string | null; readonly priceId: string } | null;

/** The invoice of the event's account and period, and the price its meter was rated by there. */
async function fetchCharge({ db }: Stores, { namespace, atMs, meter, fate }: TracedEvent): Promise<Charge> {
  if (fate !== 'counted' || meter === null) return null;
  const rows = await db
    .selectFrom('run_accounts')
    .innerJoin('reconcile_runs', 'reconcile_runs.run', 'run_accounts.run')
    .select(['run_accounts.invoices'])
    .where('reconcile_runs.period', '=', periodOf(atMs).key)
    .where('run_accounts.account', '=', accountOf(namespace))
    .orderBy('reconcile_runs.revision', 'desc')
    .execute();
  const id = rows.flatMap(({ invoices }) => invoices)[0]?.id;
  if (id === undefined) return null;
  const found = await explainInvoice(db, id);
  const priceId = found.meters.find((one) => one.meter === meter)?.priceId;
  return priceId === undefined ? null : { invoice: id, number: found.number, priceId };
}

function describeEvent(of: TracedEvent, topic: string): string {
  const place = `${topic}/${of.partition}@${of.offset}`;
  const taken = of.voidedBy === null ? '' : ` by ${of.voidedBy}`;
  return `${toIso(of.atMs)}  ${of.namespace}  ${of.type} × ${of.quantity}  ${of.fate}${taken}  ${of.source} ${of.id}  ${place}  arrived ${toIso(of.arrivedAtMs)}`;
}

function describeCharge({ fate, meter }: TracedEvent, charge: Charge): string {
  if (charge !== null) {
    return `charged on invoice ${charge.invoice} (${charge.number ?? 'draft'}), line of ${meter ?? ''} at ${charge.priceId}`;
  }
  if (fate === 'counted') return 'counted; its period has no invoice for the account yet';
  if (fate === 'late') return 'came behind the barrier: an adjustment of its period';
  return 'charged nowhere';
}

function spoken(meter: MeterName, quantity: bigint): string {
  return `${formatQuantity(meter, quantity.toString())} ${meterUnits(meter).spokenUnit}`;
}
