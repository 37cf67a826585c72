// Usage of the minutes that many namespaces are filling right now, kept in memory from one rollup pass to the next. A pass
// then reads what the log brought since, and not each minute once more from its beginning, which grows with the minute.
// What is kept is always what a recomputation as of a position of the log would give: the caller says which stretch of the
// log is new and that nobody else has rolled up meanwhile, or has everything forgotten. Minutes in which something is taken back or a
// conflict was decided are never kept. When a minute is left, it is recomputed once more and corrected if it differs.
// Nothing here is needed again after a crash: the next pass recomputes.

import type { ClickHouse } from '../platform/clickhouse.ts';
import { CLICKHOUSE_TABLES } from '../domain/contracts/tables.ts';
import { formatDecimal } from '../domain/decimal.ts';
import { countedParameters } from './parameters.ts';
import { QUERIES } from './queries.ts';
import { hoursOf, type RollupDeps, type Touched } from './rollup.ts';
import { WHOLE, type Shard } from './shards.ts';
import type { Barrier } from './usage.ts';

/** A stretch of the log, and the minutes it touched. */
export type Stretch = {
  readonly from: Barrier;
  readonly to: Barrier;
  readonly touched: Touched;
  readonly run: string;
};

/** The newest ones that a pass may open: in a backlog it touches many, each of them never again. */
const OPENED_MAX = 3;
/** These stay open when there is nothing else to do. */
const KEPT_MINUTES = 4;
/** Beyond either the oldest minute is left at once. */
const MINUTES_MAX = 30;
const WINDOWS_MAX = 1_000_000;
/** A minute with more is never open: read as a whole, so many take some 300 MB for a moment. */
const MINUTE_WINDOWS_MAX = 250_000;
const MINUTE_SECONDS = 60;
/** Of quantities in the rollups. */
const SCALE = 12;
const COLUMNS = ['namespace', 'meter', 'minute', 'quantity', 'events', 'run'];

type OpenMinute = {
  /** By the name of the window. */
  readonly windows: Map<string, Totals>;
  /** Since it was read as a whole. */
  isAddedTo: boolean;
};
/** Units of 10^-12 of the meter's unit. */
type Totals = { units: bigint; events: number };

type Row = {
  readonly minute: number;
  /** Namespace and meter, as they stand at the beginning of a TabSeparated line. */
  readonly name: string;
  readonly units: string;
  readonly events: string;
};

export class OpenMinutes {
  private readonly clickhouse: ClickHouse;
  private readonly shard: Shard;
  private readonly busyNamespaces: number;
  private readonly minutes = new Map<number, OpenMinute>();

  /** In a minute with fewer touched namespaces these are found faster by their names than by looking through it. */
  constructor({ clickhouse, shard = WHOLE }: Pick<RollupDeps, 'clickhouse' | 'shard'>, busyNamespaces: number) {
    this.clickhouse = clickhouse;
    this.shard = shard;
    this.busyNamespaces = busyNamespaces;
  }

  forget(): void {
    this.minutes.clear();
  }

  /** Rolls up those of the touched minutes that are open, or are opened now; resolves with them. */
  async rollUp({ from, to, touched, run }: Stretch): Promise<ReadonlySet<number>> {
    const busy = [...touched].filter(([, count]) => count >= this.busyNamespaces && count <= MINUTE_WINDOWS_MAX);
    const newest = busy
      .map(([minute]) => minute)
      .toSorted((a, b) => b - a)
      .slice(0, OPENED_MAX);
    const candidates = [...new Set([...newest, ...[...touched.keys()].filter((minute) => this.minutes.has(minute))])];
    if (candidates.length === 0) return new Set();
    const corrected = await this.fetchCorrected(candidates);
    for (const minute of corrected) this.minutes.delete(minute);
    const usable = candidates.filter((minute) => !corrected.has(minute));
    const open = usable.filter((minute) => this.minutes.has(minute));
    const added = open.length === 0 ? [] : this.add(await this.fetchFresh(open, from, to));
    for (const minute of open) this.open(minute).isAddedTo = true;
    const closed = usable.filter((minute) => !this.minutes.has(minute));
    const opened = closed.length === 0 ? [] : await this.fetchSmall(closed);
    const read: string[][] = [];
    // One after the other: each is a large answer.
    for (const minute of opened) read.push(this.add(await this.fetchWhole([minute], to)));
    await this.write([...added, ...read.flat()], run);
    return new Set([...open, ...opened]);
  }

  /** More than stay open by themselves. */
  get isCrowded(): boolean {
    return this.minutes.size > KEPT_MINUTES;
  }

  /** So many that one has to be left before the next pass. */
  get isFull(): boolean {
    const windows = [...this.minutes.values()].reduce((sum, { windows: { size } }) => sum + size, 0);
    return this.minutes.size > MINUTES_MAX || windows > WINDOWS_MAX;
  }

  /** Recomputes the oldest minute; resolves with the namespaces in which that comes to something else. */
  async checkOldest(position: Barrier): Promise<{ minute: number; wrong: readonly string[] }> {
    const minute = Math.min(...this.minutes.keys());
    const { windows, isAddedTo } = this.open(minute);
    if (!isAddedTo) return { minute, wrong: [] };
    const rows = await this.fetchWhole([minute], position);
    const wrong = rows.filter((row) => {
      const { units, events } = windows.get(row.name) ?? { units: 0n, events: 0 };
      return units !== BigInt(row.units) || events !== Number(row.events);
    });
    return { minute, wrong: [...new Set(wrong.map(({ name }) => name.slice(0, name.indexOf('\t'))))] };
  }

  leave(minute: number): void {
    this.minutes.delete(minute);
  }

  /** Adds rows to the windows that are known; returns lines of what they come to. */
  private add(rows: readonly Row[]): string[] {
    return rows.map(({ minute, name, units, events }) => {
      const { windows } = this.open(minute);
      let totals = windows.get(name);
      if (totals === undefined) windows.set(name, (totals = { units: 0n, events: 0 }));
      totals.units += BigInt(units);
      totals.events += Number(events);
      return toLine(name, minute, totals);
    });
  }

  private open(minute: number): OpenMinute {
    const open = this.minutes.get(minute) ?? { windows: new Map(), isAddedTo: false };
    this.minutes.set(minute, open);
    return open;
  }

  private async write(lines: readonly string[], run: string): Promise<void> {
    if (lines.length === 0) return;
    const text = lines.map((line) => `${line}\t${run}\n`).join('');
    await this.clickhouse.insertTsv(CLICKHOUSE_TABLES.usageMinute, COLUMNS, text);
  }

  /** Those of the minutes that are not too large to be opened. */
  private async fetchSmall(minutes: readonly number[]): Promise<number[]> {
    const rows = await this.clickhouse.query<{ minute: number; windows: string }>(QUERIES.windowsOfMinutes, {
      ...this.shard,
      minutes,
      touched_hours: hoursOf(minutes),
    });
    const large = new Set(
      rows.filter(({ windows }) => Number(windows) > MINUTE_WINDOWS_MAX).map(({ minute }) => minute),
    );
    return minutes.filter((minute) => !large.has(minute));
  }

  private async fetchCorrected(minutes: readonly number[]): Promise<Set<number>> {
    const rows = await this.clickhouse.query<{ minute: number }>(QUERIES.correctedMinutes, { minutes });
    return new Set(rows.map(({ minute }) => minute));
  }

  private async fetchFresh(minutes: readonly number[], from: Barrier, to: Barrier): Promise<Row[]> {
    return this.clickhouse.query<Row>(QUERIES.freshUsage, {
      ...parametersOf(minutes, to),
      ...this.shard,
      after: from,
    });
  }

  private async fetchWhole(minutes: readonly number[], to: Barrier): Promise<Row[]> {
    const parameters = { ...parametersOf(minutes, to), ...this.shard, touched_hours: hoursOf(minutes) };
    return this.clickhouse.query<Row>(QUERIES.usageOfMinutes, parameters);
  }
}

function parametersOf(minutes: readonly number[], before: Barrier): Record<string, unknown> {
  const window = {
    startAtMs: Math.min(...minutes) * 1000,
    endAtMs: (Math.max(...minutes) + MINUTE_SECONDS) * 1000,
  };
  return countedParameters({ window, minutes, before });
}

/** Namespaces and meters hold nothing that the format would have to escape. */
function toLine(name: string, minute: number, { units, events }: Totals): string {
  return `${name}\t${minute}\t${formatDecimal({ units, scale: SCALE })}\t${events}`;
}
