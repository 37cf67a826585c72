// What boards may read of ClickHouse: the grants of Grafana's user are made of this list, and the tests hold every query to
// it. Beside each table, what a query over it must say so that it finds its rows by key and not by reading the table.

import { CLICKHOUSE_TABLES } from '../../domain/contracts/tables.ts';

export type KeyRule = {
  /** One of these must narrow the query. */
  readonly narrowedBy: readonly RegExp[];
  readonly because: string;
};

const { usageEvents, usageRejected, usageHour, usageDay, closedUsageHour } = CLICKHOUSE_TABLES;

const hours = /\$__timeFilter\(hour\)/;
const days = /\$__dateFilter\(day\)|\bday >= [\s\S]+\bday < /;
const account = /\baccount = \$\{tenant:singlequote\}/;

export const READABLE: Readonly<Record<string, readonly KeyRule[]>> = {
  [usageEvents]: [
    {
      narrowedBy: [/\btime >= greatest\(\$__fromTime, \$__toTime - INTERVAL 1 DAY\) AND time < \$__toTime/],
      because: 'the truth is sorted by minute: a day at most',
    },
    { narrowedBy: [/\bnamespace IN \(\$\{namespace:singlequote\}\)/], because: 'then by namespace' },
  ],
  [usageRejected]: [
    { narrowedBy: [/\$__timeFilter\(arrived_at\)/], because: 'rejects are few, and partitioned by their month' },
  ],
  [usageHour]: [
    { narrowedBy: [account], because: 'hours are sorted by account' },
    { narrowedBy: [hours], because: 'and partitioned by month' },
  ],
  [usageDay]: [{ narrowedBy: [days], because: 'days are partitioned by month, and few' }],
  [closedUsageHour]: [
    {
      narrowedBy: [account, /\bperiod = \$\{period:singlequote\}/, /\b_partition_value\b/],
      because: 'closed hours are partitioned by period and sorted by account',
    },
  ],
};
