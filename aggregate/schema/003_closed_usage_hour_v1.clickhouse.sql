-- Hour totals of a closed period as of its barrier, with the digest of the events behind each: a function of the log
-- up to the barrier, so writing it again writes the same. Writer: period close. Readers: the usage door.
-- digest_sum and digest_xor run over hash128(identity, type, quantity) and do not depend on order.
CREATE TABLE IF NOT EXISTS closed_usage_hour_v1 (
  period     LowCardinality(String),
  account    String,
  namespace  String,
  meter      LowCardinality(String),
  hour       DateTime('UTC'),
  quantity   Decimal(76, 12),
  events     UInt64,
  digest_sum UInt128,
  digest_xor UInt128
)
ENGINE = ReplacingMergeTree
PARTITION BY period
ORDER BY (account, namespace, meter, hour);
