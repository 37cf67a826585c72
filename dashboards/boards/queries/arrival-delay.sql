-- How long the tenant's usage was under way in the last day of the chosen range, but for the slowest 5 %.
SELECT quantile(0.95)(greatest(0, dateDiff('second', time, arrived_at))) AS seconds
FROM usage_events_v1
WHERE time >= greatest($__fromTime, $__toTime - INTERVAL 1 DAY) AND time < $__toTime
  AND namespace IN (${namespace:singlequote})
HAVING count() > 0
