-- The records of closes once more, beside the totals they vouch for: a Postgres that is restored to before a close gets its
-- barrier back from here, and the period stays as it was billed. One row per period and state, the later state holds.
-- barrier is the end offset per partition, as strings; catalogue is JSON. Writer: period close, before anybody acts on the
-- barrier and again when it is closed. Reader: period close, trueup recover.
CREATE TABLE IF NOT EXISTS period_records_v1 (
  period     String,
  topic      String,
  barrier    Array(String),
  barrier_at DateTime64(3, 'UTC'),
  catalogue  String,
  closed     UInt8,
  closed_at  DateTime64(3, 'UTC'),
  digest     String,
  events     UInt64
)
ENGINE = ReplacingMergeTree(closed)
ORDER BY period;
