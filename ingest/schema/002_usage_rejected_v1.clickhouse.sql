-- Records that can't be counted, kept whole with their coordinates so that an operator can replay them.
-- Writer: the sink, at least once. Readers: rejects search, reports (FINAL).
-- Replay safety: the coordinates are the key.
-- payload holds the record's bytes in base64 up to the event limit; longer ones keep their head and their full length.
CREATE TABLE IF NOT EXISTS usage_rejected_v1 (
  generation      UInt16,
  kafka_partition UInt16,
  kafka_offset    UInt64,
  arrived_at      DateTime64(3, 'UTC'),
  reason          LowCardinality(String),
  field           LowCardinality(String),
  subject         String,
  source          String,
  key             String,
  payload         String,
  payload_bytes   UInt32
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(arrived_at)
ORDER BY (generation, kafka_partition, kafka_offset);
