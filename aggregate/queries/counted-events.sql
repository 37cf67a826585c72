-- Included by the other queries as (counted_events): the events that count, once each, in meter units.
-- Left out: second copies (FINAL), voids and what they take back, losers of conflicts, types outside the catalogue.
-- Of a void too the first copy counts, whether or not later ones were merged away: hence the grouping.
-- `before` is a barrier (offset per partition); empty means everything. Units are
-- exact for each event; whoever sums them widens them first, because a sum of this type wraps at 1.7 * 10^26.
SELECT
  namespace,
  toStartOfMinute(time) AS minute,
  transform(toString(type), {types:Array(String)}, {meters:Array(String)}, '') AS meter,
  quantity * transform(toString(type), {types:Array(String)}, {weights:Array(UInt32)}, 0) AS units,
  reinterpretAsUInt128(sipHash128(id_hash, toString(type), toString(quantity))) AS digest
FROM usage_events_v1 FINAL
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
  AND (empty({hours:Array(DateTime('UTC'))}) OR toStartOfHour(time) IN {hours:Array(DateTime('UTC'))})
  AND (empty({minutes:Array(DateTime('UTC'))}) OR toStartOfMinute(time) IN {minutes:Array(DateTime('UTC'))})
  AND (empty({before:Array(UInt64)}) OR kafka_offset < arrayElement({before:Array(UInt64)}, kafka_partition + 1))
  AND type IN {types:Array(String)}
  -- By the hash of the identity that is taken back, so that source and id of every event need not be read.
  AND (id_hash, time) NOT IN (
    SELECT reinterpretAsUInt128(sipHash128(namespace, source, argMax(voids, version))), time
    FROM usage_events_v1
    WHERE type = 'void' AND time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
      AND (empty({hours:Array(DateTime('UTC'))}) OR toStartOfHour(time) IN {hours:Array(DateTime('UTC'))})
      AND (empty({minutes:Array(DateTime('UTC'))}) OR toStartOfMinute(time) IN {minutes:Array(DateTime('UTC'))})
      AND (empty({before:Array(UInt64)}) OR kafka_offset < arrayElement({before:Array(UInt64)}, kafka_partition + 1))
      AND (id_hash, toString(type), time, quantity) NOT IN (SELECT id_hash, type, time, quantity FROM usage_conflicts_v1)
    GROUP BY namespace, source, id_hash, time, quantity
  )
  AND (id_hash, toString(type), time, quantity) NOT IN (SELECT id_hash, type, time, quantity FROM usage_conflicts_v1)
