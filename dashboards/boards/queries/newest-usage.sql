-- Seconds from the end of the newest hour with usage to the end of the chosen range; 0 while that hour still runs.
SELECT greatest(0, toUnixTimestamp($__toTime) - toUnixTimestamp(max(hour)) - 3600) AS seconds
FROM usage_hour_v1
WHERE account = ${tenant:singlequote} AND $__timeFilter(hour) AND events > 0
  AND $__conditionalAll(namespace IN (${namespace:singlequote}), $namespace)
HAVING count() > 0
