// Reads of the rollups as they stand now, for people who look at usage: nothing here is a billing total, which is read
// as closed. Every read that fails throws; windows without usage are left out.

import { accountOf } from '../domain/event.ts';
import { parseWhole } from '../domain/decimal.ts';
import type { MeterName } from '../domain/meter.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import { fromMeter } from './meters.ts';
import { formatWindow, type Window } from './parameters.ts';
import { QUERIES } from './queries.ts';

/** `day` is `2026-10-03`; quantities are whole meter units. */
export type DayTotal = { readonly meter: MeterName; readonly day: string; readonly quantity: bigint };

export type LiveHour = { readonly meter: MeterName; readonly hourAtMs: number; readonly quantity: bigint };

export type AccountTotal = { readonly account: string; readonly meter: MeterName; readonly quantity: bigint };

export type UsageReads = {
  /** One account's usage by day, summed over its namespaces; the window is taken in whole days. */
  fetchAccountDays(account: string, window: Window): Promise<DayTotal[]>;
  /** One account's usage by hour, summed over its namespaces. */
  fetchAccountHours(account: string, window: Window): Promise<LiveHour[]>;
  /** One namespace's usage by hour. */
  fetchNamespaceHours(namespace: string, window: Window): Promise<LiveHour[]>;
  /** The `limit` accounts with most usage of a meter, largest first; the window is taken in whole days. */
  fetchTopAccounts(meter: MeterName, window: Window, limit: number): Promise<AccountTotal[]>;
  /** Every account with usage, ordered by name; the window is taken in whole days. */
  fetchPeriodTotals(window: Window): Promise<AccountTotal[]>;
};

type Row = { units: string; meter: string };

export function createUsageReads({ clickhouse }: { readonly clickhouse: ClickHouse }): UsageReads {
  return {
    fetchAccountDays: async (account, window) => {
      const parameters = { account, ...formatWindow(window) };
      const rows = await clickhouse.query<Row & { on_day: string }>(QUERIES.accountDays, parameters);
      return rows.map(({ meter, on_day: day, units }) => ({
        meter: fromMeter(meter),
        day,
        quantity: parseWhole(units),
      }));
    },
    fetchAccountHours: async (account, window) =>
      fetchHours(clickhouse, QUERIES.accountHours, { account, ...formatWindow(window) }),
    fetchNamespaceHours: async (namespace, window) => {
      const parameters = { account: accountOf(namespace), namespace, ...formatWindow(window) };
      return fetchHours(clickhouse, QUERIES.namespaceHours, parameters);
    },
    fetchTopAccounts: async (meter, window, limit) => {
      const parameters = { meter, limit, ...formatWindow(window) };
      const rows = await clickhouse.query<{ account: string; units: string }>(QUERIES.topAccounts, parameters);
      return rows.map(({ account, units }) => ({ account, meter, quantity: parseWhole(units) }));
    },
    fetchPeriodTotals: async (window) => {
      type Totals = { account: string; meters: string[]; units: string[] };
      const rows = await clickhouse.query<Totals>(QUERIES.periodTotals, formatWindow(window));
      return rows.flatMap(({ account, meters, units }) =>
        meters.map((meter, at) => ({ account, meter: fromMeter(meter), quantity: parseWhole(units[at] ?? '') })),
      );
    },
  };
}

async function fetchHours(
  clickhouse: ClickHouse,
  query: string,
  parameters: Record<string, unknown>,
): Promise<LiveHour[]> {
  const rows = await clickhouse.query<Row & { at: number }>(query, parameters);
  return rows.map(({ meter, at, units }) => {
    return { meter: fromMeter(meter), hourAtMs: at * 1000, quantity: parseWhole(units) };
  });
}
