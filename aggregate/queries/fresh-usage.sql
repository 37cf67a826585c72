-- What the log brought to the given minutes between two positions (offsets per partition, `after` included, `before` not),
-- in meter units of 10^-12 as whole numbers. An event belongs to where its first copy lies.
-- Only for minutes without corrections: nothing is taken back here, and no loser of a conflict left out.
-- Only rows whose identity is among the fresh ones are merged (FINAL) at all: a part of the hash tells, before anything else
-- of a row is read, and rows that it lets through in error are left out by their offsets.
SELECT
  toUnixTimestamp(minute) AS minute,
  concat(namespace, '\t', transform(toString(type), {types:Array(String)}, {meters:Array(String)}, '')) AS name,
  toString(reinterpretAsInt256(sum(quantity * transform(toString(type), {types:Array(String)}, {weights:Array(UInt32)}, 0)))) AS units,
  sum(events) AS events
FROM (
  SELECT toStartOfMinute(time) AS minute, namespace, type, sum(toDecimal256(quantity, 12)) AS quantity, count() AS events
  FROM usage_events_v1 FINAL
  PREWHERE toUInt64(id_hash) IN (
    SELECT toUInt64(id_hash)
    FROM usage_events_v1
    WHERE toStartOfMinute(time) IN {minutes:Array(DateTime('UTC'))}
      AND kafka_offset >= arrayElement({after:Array(UInt64)}, kafka_partition + 1)
  )
  WHERE toStartOfMinute(time) IN {minutes:Array(DateTime('UTC'))}
    AND type IN {types:Array(String)} AND (in_shard)
    AND kafka_offset >= arrayElement({after:Array(UInt64)}, kafka_partition + 1)
    AND kafka_offset < arrayElement({before:Array(UInt64)}, kafka_partition + 1)
  GROUP BY minute, namespace, type
)
GROUP BY minute, name
SETTINGS use_index_for_in_with_subqueries = 0
