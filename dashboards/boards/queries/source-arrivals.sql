-- Who sent the tenant's usage in the last day of the chosen range, and how long it was under way.
SELECT
  source AS "Source",
  count() AS "Events",
  max(time) AS "Newest event",
  quantile(0.5)(dateDiff('second', time, arrived_at)) AS "Delay, half",
  quantile(0.95)(dateDiff('second', time, arrived_at)) AS "Delay, 95 %"
FROM usage_events_v1 FINAL
WHERE time >= greatest($__fromTime, $__toTime - INTERVAL 1 DAY) AND time < $__toTime
  AND namespace IN (${namespace:singlequote})
GROUP BY source
ORDER BY "Events" DESC, source
LIMIT 20
