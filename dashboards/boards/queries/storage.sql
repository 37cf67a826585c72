-- Storage of the tenant over time. An hour's GB-hours are the GB that were held in it; a point is the mean of its hours.
SELECT
  $__timeInterval(hour) AS time,
  if(meter = 'active_storage', 'active', 'retained') AS name,
  toFloat64(sum(quantity)) / 1000 / uniqExact(hour) AS gigabytes
FROM usage_hour_v1 FINAL
WHERE account = ${tenant:singlequote} AND $__timeFilter(hour) AND meter IN ('active_storage', 'retained_storage')
  AND $__conditionalAll(namespace IN (${namespace:singlequote}), $namespace)
GROUP BY time, name
ORDER BY time, name
