-- The truth: every accepted event, one row per identity and content after replacement; the first copy wins.
-- Writer: the sink, one month per insert, at least once. Readers: aggregate (FINAL), drill-downs.
-- Replay safety: any copy of an event carries the same key, so writing it again changes nothing.
-- Minute first: recomputing the fresh minutes of many tenants must not scan their hour, let alone their month.
-- Content (time, quantity) ends the sorting key but not the primary key, so that a conflicting copy of an identity
-- survives merges to be named, instead of vanishing with whichever part was merged first.
-- One file a part up to 256 MiB: an insert syncs two files instead of thirty, and young parts merge at half the cost.
-- No column statistics: nothing asks for them, and every insert and merge would compute them.
CREATE TABLE IF NOT EXISTS usage_events_v1 (
  namespace       String,
  type            LowCardinality(String),
  time            DateTime64(3, 'UTC'),
  source          LowCardinality(String),
  id              String,
  quantity        Decimal(38, 12),
  voids           String,
  generation      UInt16,
  kafka_partition UInt16,
  kafka_offset    UInt64,
  arrived_at      DateTime64(3, 'UTC'),
  id_hash         UInt128 MATERIALIZED reinterpretAsUInt128(sipHash128(namespace, source, id)),
  version         UInt64  MATERIALIZED toUInt64(9223372036854775808) - (toUInt64(generation) * 281474976710656 + kafka_offset)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(time)
PRIMARY KEY (toStartOfMinute(time), namespace, type, id_hash)
ORDER BY (toStartOfMinute(time), namespace, type, id_hash, time, quantity)
SETTINGS fsync_after_insert = 1, min_bytes_for_wide_part = 268435456, auto_statistics_types = '';
