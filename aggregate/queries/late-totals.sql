-- Namespaces touched behind the barrier whose total as of the later barrier differs from the closed one.
-- `before` is the later barrier, `closed_before` the period's own.
SELECT
  substring(namespace, position(namespace, '.') + 1) AS account, namespace, meter,
  toString(sum(closed)) AS closed_units, toString(sum(current)) AS late_units
FROM (
  SELECT namespace, meter, toDecimal256(0, 12) AS closed, toDecimal256(units, 12) AS current FROM (counted_events)
  UNION ALL
  SELECT namespace, toString(meter) AS meter, quantity AS closed, toDecimal256(0, 12) AS current
  FROM closed_usage_hour_v1 FINAL
  WHERE period = {period:String}
)
WHERE namespace IN (
  SELECT namespace
  FROM usage_events_v1
  WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
    AND kafka_offset >= arrayElement({closed_before:Array(UInt64)}, kafka_partition + 1)
)
GROUP BY namespace, meter
HAVING sum(closed) != sum(current)
ORDER BY account, namespace, meter
