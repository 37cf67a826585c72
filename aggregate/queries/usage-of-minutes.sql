-- All that the given minutes hold, in meter units of 10^-12 as whole numbers. A window that became empty is zero.
SELECT
  toUnixTimestamp(minute) AS minute,
  concat(namespace, '\t', meter) AS name,
  toString(reinterpretAsInt256(sum(toDecimal256(units, 12)))) AS units,
  sum(one) AS events
FROM (
  SELECT namespace, meter, minute, units, 1 AS one
  FROM (counted_events)
  WHERE (in_shard)
  UNION ALL
  SELECT namespace, toString(meter) AS meter, minute, toDecimal128(0, 12) AS units, 0 AS one
  FROM usage_minute_v1
  WHERE toStartOfHour(minute) IN {touched_hours:Array(DateTime('UTC'))} AND minute IN {minutes:Array(DateTime('UTC'))}
    AND (in_shard)
)
GROUP BY minute, namespace, meter
