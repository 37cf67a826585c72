// trueup accounting: what finance books. Accrual and journal read the biller as it is now; an account that can't be read is named
// and left out, and the exit code is 1 then, because the sums are too small. Nothing is written but the file asked for.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fetchPeriod } from '../aggregate/period-record.ts';
import { formatMoney } from '../domain/money.ts';
import { parsePeriod, periodOf, previousPeriod, toIso } from '../domain/period.ts';
import type { Adjustment } from '../domain/rating-invoice.ts';
import {
  accrualTable,
  fetchAccrual,
  fetchCarriedOver,
  fetchJournal,
  fetchRollForward,
  formatCsv,
  journalTable,
  rollForwardTable,
  sumUnbilled,
  type Failure,
  type Table,
} from '../reconcile/door.ts';
import { UsageError, type CommandContext, type Run } from './command.ts';
import { oneOf, parseInstant, sayProgress, toColumns } from './desk.ts';
import { toJson } from './json.ts';
import { withReconciliation, type Reconciliation } from './reconciliation.ts';

type Options = {
  readonly at?: string;
  readonly period?: string;
  readonly out?: string;
  readonly csv: boolean;
  readonly json: boolean;
};

type Answer = {
  readonly table: Table;
  /** Names the file: what the table is about. */
  readonly of: string;
  readonly failed: readonly Failure[];
  readonly sums: readonly string[];
};

type Job = { readonly deps: Reconciliation; readonly context: CommandContext; readonly options: Options };

const ACTIONS: Readonly<Record<string, (job: Job, named: readonly string[]) => Promise<Answer>>> = {
  accrual,
  credits,
  journal,
};

export const run: Run = async ([name = '', ...args], context) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      at: { type: 'string' },
      period: { type: 'string' },
      out: { type: 'string' },
      csv: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) throw new UsageError('say accrual, credits or journal');
  if (values.csv && values.json) throw new UsageError('say --csv or --json');
  const found = await withReconciliation(context, async (deps) =>
    action({ deps, context, options: values }, positionals),
  );
  for (const { account, period, code } of found.failed) {
    context.warn(`${account} ${period} could not be read (${code}) and is left out: try again`);
  }
  write(found, values, context);
  for (const sum of found.sums) context.warn(sum);
  return found.failed.length === 0 ? 0 : 1;
};

/** The period of the instant and the one before: whose invoice may be outstanding. */
async function accrual({ deps, context, options }: Job, named: readonly string[]): Promise<Answer> {
  if (named.length > 0) throw new UsageError('say when with --at');
  const atMs = options.at === undefined ? deps.stores.nowMs : parseInstant('--at', options.at);
  const current = periodOf(atMs);
  const periods = [];
  const adjustments = new Map<string, readonly Adjustment[]>();
  const accounts = await deps.accounts.fetchAgreements(current);
  for (const period of [previousPeriod(current), current]) {
    const record = await fetchPeriod(deps.stores.db, period);
    periods.push({ period, closed: record?.state === 'CLOSED' });
    for (const { account } of accounts) {
      adjustments.set(`${account} ${period.key}`, await fetchCarriedOver(deps.db, { period, account }));
    }
  }
  const { rows, failed } = await fetchAccrual(counting(deps, context, 2 * accounts.length), {
    atMs,
    periods,
    adjustments,
  });
  const sums = [...sumUnbilled(rows)].map(
    ([currency, minor]) => `unbilled ${formatMoney(minor, currency)} ${currency.toUpperCase()}`,
  );
  return { table: accrualTable(rows, atMs), of: toIso(atMs).slice(0, 10), failed, sums };
}

async function credits({ deps, options }: Job, named: readonly string[]): Promise<Answer> {
  if (named.length > 0) throw new UsageError('say which period with --period');
  const period = options.period === undefined ? periodOf(deps.stores.nowMs) : parsePeriod(options.period);
  const rows = await fetchRollForward(deps, period);
  return { table: rollForwardTable(rows, period), of: period.key, failed: [], sums: [] };
}

async function journal({ deps, context }: Job, named: readonly string[]): Promise<Answer> {
  const period = parsePeriod(oneOf(named, 'one period, such as 2026-10'));
  const accounts = await deps.accounts.fetchAgreements(period);
  const { rows, failed } = await fetchJournal(counting(deps, context, accounts.length), period);
  return { table: journalTable(rows), of: period.key, failed, sums: [`${rows.length} entries, each in balance`] };
}

/** The same doors; every account read at the biller is counted aloud. */
function counting(deps: Reconciliation, context: CommandContext, total: number): Reconciliation {
  const { billing } = deps;
  const say = sayProgress(context, 'accounts read');
  let done = 0;
  return {
    ...deps,
    billing: {
      ...billing,
      fetchAccountBilling: async (ref, period) => {
        const found = await billing.fetchAccountBilling(ref, period);
        done += 1;
        say(done, total);
        return found;
      },
    },
  };
}

function write({ table, of }: Answer, { out, csv, json }: Options, context: CommandContext): void {
  const content = json ? `${toJson(toRecords(table))}\n` : formatCsv(table);
  if (out !== undefined) {
    mkdirSync(out, { recursive: true });
    const path = join(out, `${table.name}-${of}.${json ? 'json' : 'csv'}`);
    writeFileSync(path, content);
    context.print(path);
    return;
  }
  const rows = table.rows.map((row) => row.map((cell) => (cell.kind === 'unknown' ? '' : cell.text)));
  const lines = csv || json ? content.trimEnd().split('\n') : toColumns([table.columns, ...rows]);
  for (const line of lines) context.print(line);
}

/** By column; amounts as decimal text, null where nothing is known. */
function toRecords({ columns, rows }: Table): Record<string, string | null>[] {
  return rows.map((row) =>
    Object.fromEntries(
      columns.map((column, index) => {
        const cell = row[index];
        return [column, cell === undefined || cell.kind === 'unknown' ? null : cell.text];
      }),
    ),
  );
}
