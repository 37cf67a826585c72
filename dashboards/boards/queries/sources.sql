-- The sources that sent the tenant's usage in the last day of the chosen range.
SELECT DISTINCT source
FROM usage_events_v1
WHERE time >= greatest($__fromTime, $__toTime - INTERVAL 1 DAY) AND time < $__toTime
  AND namespace IN (${namespace:singlequote})
ORDER BY source
