-- Minutes of the given hours whose rollup is not what the truth says. Minutes that wait for the rollup worker are left
-- out: `blocks` are those it has still to do.
SELECT namespace, meter, toUnixTimestamp(toStartOfHour(minute)) AS hour, toString(minute) AS at,
  toString(sum(rolled)) AS rolled_up, toString(sum(raw)) AS recomputed
FROM (
  SELECT namespace, meter, minute, toDecimal256(0, 12) AS rolled, toDecimal256(units, 12) AS raw FROM (counted_events)
  UNION ALL
  SELECT namespace, toString(meter) AS meter, minute, quantity AS rolled, toDecimal256(0, 12) AS raw
  FROM usage_minute_v1 FINAL
  WHERE toStartOfHour(minute) IN {hours:Array(DateTime('UTC'))}
)
WHERE (namespace, minute) NOT IN (SELECT namespace, minute FROM usage_dirty_v1 WHERE block IN {blocks:Array(String)})
GROUP BY namespace, meter, minute
HAVING sum(rolled) != sum(raw)
ORDER BY minute, namespace, meter
LIMIT 200
