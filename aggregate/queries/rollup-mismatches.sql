-- Minutes whose rollup differs from a recomputation (promise I3). Minutes touched behind the barrier are left out:
-- they may be ahead of their rollup by design.
SELECT namespace, meter, toString(minute) AS at, toString(sum(rolled)) AS rolled_up, toString(sum(raw)) AS recomputed
FROM (
  SELECT namespace, meter, minute, toDecimal256(0, 12) AS rolled, toDecimal256(units, 12) AS raw FROM (counted_events)
  UNION ALL
  SELECT namespace, toString(meter) AS meter, minute, quantity AS rolled, toDecimal256(0, 12) AS raw
  FROM usage_minute_v1 FINAL
  WHERE minute >= {from:DateTime64(3, 'UTC')} AND minute < {to:DateTime64(3, 'UTC')}
)
WHERE (namespace, minute) NOT IN (
  SELECT namespace, toStartOfMinute(time)
  FROM usage_events_v1
  WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
    AND NOT (empty({before:Array(UInt64)}) OR kafka_offset < arrayElement({before:Array(UInt64)}, kafka_partition + 1))
)
GROUP BY namespace, meter, minute
HAVING sum(rolled) != sum(raw)
ORDER BY minute, namespace, meter
LIMIT {limit:UInt32}
