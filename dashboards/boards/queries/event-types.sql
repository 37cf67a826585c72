-- What the tenant's events are, in the last day of the chosen range, copies counted once.
SELECT replaceAll(type, '_', ' ') AS kind, toFloat64(sum(quantity)) AS quantity
FROM usage_events_v1 FINAL
WHERE time >= greatest($__fromTime, $__toTime - INTERVAL 1 DAY) AND time < $__toTime
  AND namespace IN (${namespace:singlequote}) AND type NOT IN ('void', 'active_storage', 'retained_storage')
GROUP BY kind
ORDER BY quantity DESC, kind
LIMIT 12
