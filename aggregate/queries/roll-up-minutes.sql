-- Rewrites the minutes that the given blocks touched, all or those that are named, from the truth. A window that became
-- empty is written as zero: without it the old value would live on.
INSERT INTO usage_minute_v1 (namespace, meter, minute, quantity, events, run)
SELECT namespace, meter, minute, sum(toDecimal256(units, 12)) AS quantity, sum(one) AS events, {run:UInt64} AS run
FROM (
  SELECT namespace, meter, minute, units, 1 AS one
  FROM (counted_events)
  WHERE (namespace, minute) IN (
    SELECT namespace, minute FROM usage_dirty_v1 WHERE block IN {blocks:Array(String)} AND (in_shard)
  )
  UNION ALL
  SELECT namespace, toString(meter) AS meter, minute, toDecimal128(0, 12) AS units, 0 AS one
  FROM usage_minute_v1
  WHERE toStartOfHour(minute) IN {touched_hours:Array(DateTime('UTC'))}
    AND (empty({minutes:Array(DateTime('UTC'))}) OR minute IN {minutes:Array(DateTime('UTC'))})
    AND (namespace, minute) IN (
    SELECT namespace, minute FROM usage_dirty_v1 WHERE block IN {blocks:Array(String)} AND (in_shard)
  )
)
GROUP BY namespace, meter, minute
