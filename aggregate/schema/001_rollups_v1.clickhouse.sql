-- Usage per namespace and meter at three grains. Quantities are in meter units (domain/meter.ts) and exact beyond the
-- largest account's year. Writer: the rollup worker, which always writes whole windows, recomputed; the highest run
-- holds, and a window that became empty is written as zero. Readers: the usage door (FINAL).
-- Hours and days are read by account: a finer index spares such a read most of the rows that are not its own. That of
-- hours is less fine, because every rollup pass walks it.
CREATE TABLE IF NOT EXISTS usage_minute_v1 (
  namespace String,
  meter     LowCardinality(String),
  minute    DateTime('UTC'),
  quantity  Decimal(76, 12),
  events    UInt64,
  run       UInt64
)
ENGINE = ReplacingMergeTree(run)
PARTITION BY toYYYYMM(minute)
ORDER BY (toStartOfHour(minute), namespace, meter, minute);

CREATE TABLE IF NOT EXISTS usage_hour_v1 (
  account   String MATERIALIZED substring(namespace, position(namespace, '.') + 1),
  namespace String,
  meter     LowCardinality(String),
  hour      DateTime('UTC'),
  quantity  Decimal(76, 12),
  events    UInt64,
  run       UInt64
)
ENGINE = ReplacingMergeTree(run)
PARTITION BY toYYYYMM(hour)
ORDER BY (account, namespace, meter, hour)
SETTINGS index_granularity = 2048;

CREATE TABLE IF NOT EXISTS usage_day_v1 (
  account   String MATERIALIZED substring(namespace, position(namespace, '.') + 1),
  namespace String,
  meter     LowCardinality(String),
  day       Date,
  quantity  Decimal(76, 12),
  events    UInt64,
  run       UInt64
)
ENGINE = ReplacingMergeTree(run)
PARTITION BY toYYYYMM(day)
ORDER BY (account, namespace, meter, day)
SETTINGS index_granularity = 1024;
