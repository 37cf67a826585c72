-- Of the given hours: namespaces whose hour is not the sum of its minutes, and whose day is not the sum of its hours.
-- What waits for the rollup worker is left out.
SELECT 'hour' AS grain, namespace, meter, toUnixTimestamp(hour) AS start, toString(sum(part)) AS parts,
  toString(sum(whole)) AS stored
FROM (
  SELECT namespace, toString(meter) AS meter, toStartOfHour(minute) AS hour, quantity AS part,
    toDecimal256(0, 12) AS whole
  FROM usage_minute_v1 FINAL
  WHERE toStartOfHour(minute) IN {hours:Array(DateTime('UTC'))}
  UNION ALL
  SELECT namespace, toString(meter), hour, toDecimal256(0, 12), quantity
  FROM usage_hour_v1 FINAL
  WHERE hour IN {hours:Array(DateTime('UTC'))}
)
WHERE (namespace, hour) NOT IN (
  SELECT namespace, toStartOfHour(minute) FROM usage_dirty_v1 WHERE block IN {blocks:Array(String)}
)
GROUP BY namespace, meter, hour
HAVING sum(part) != sum(whole)
UNION ALL
SELECT 'day', namespace, meter, toUnixTimestamp(toDateTime(day, 'UTC')), toString(sum(part)), toString(sum(whole))
FROM (
  SELECT namespace, toString(meter) AS meter, toDate(hour) AS day, quantity AS part, toDecimal256(0, 12) AS whole
  FROM usage_hour_v1 FINAL
  WHERE toDate(hour) IN (SELECT toDate(arrayJoin({hours:Array(DateTime('UTC'))})))
  UNION ALL
  SELECT namespace, toString(meter), day, toDecimal256(0, 12), quantity
  FROM usage_day_v1 FINAL
  WHERE day IN (SELECT toDate(arrayJoin({hours:Array(DateTime('UTC'))})))
)
WHERE (namespace, day) NOT IN (
  SELECT namespace, toDate(minute) FROM usage_dirty_v1 WHERE block IN {blocks:Array(String)}
)
GROUP BY namespace, meter, day
HAVING sum(part) != sum(whole)
LIMIT 200
