-- The tenant's API calls by hour in the last day of the chosen range, copies counted once.
SELECT toStartOfInterval(time, INTERVAL 1 HOUR) AS at, toFloat64(sum(quantity)) AS calls
FROM usage_events_v1 FINAL
WHERE time >= greatest($__fromTime, $__toTime - INTERVAL 1 DAY) AND time < $__toTime
  AND namespace IN (${namespace:singlequote}) AND type = 'api_call'
GROUP BY at
ORDER BY at
