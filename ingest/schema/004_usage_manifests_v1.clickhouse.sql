-- What each source says it produced per usage hour; the highest revision holds.
-- Writer: the manifest sink. Readers: reports, the source leg of reconciliation.
CREATE TABLE IF NOT EXISTS usage_manifests_v1 (
  source   String,
  hour     DateTime('UTC'),
  revision UInt32,
  events   UInt64,
  quantity Decimal(76, 12)
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(hour)
ORDER BY (source, hour);
