-- Copies of an identity that differ in time, type or quantity from the first copy: never billed, kept as findings.
-- Writer: the conflict check. Readers: every sum over the truth leaves these rows out; reports.
CREATE TABLE IF NOT EXISTS usage_conflicts_v1 (
  namespace       String,
  id_hash         UInt128,
  source          String,
  id              String,
  type            String,
  time            DateTime64(3, 'UTC'),
  quantity        Decimal(38, 12),
  kafka_partition UInt16,
  kafka_offset    UInt64,
  winner_offset   UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (id_hash, type, time, quantity);
