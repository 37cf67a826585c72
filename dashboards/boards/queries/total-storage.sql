-- GB-hours of the chosen range, active and retained.
SELECT toFloat64(sum(quantity)) / 1000 AS gigabyte_hours
FROM usage_hour_v1 FINAL
WHERE account = ${tenant:singlequote} AND $__timeFilter(hour) AND meter IN ('active_storage', 'retained_storage')
  AND $__conditionalAll(namespace IN (${namespace:singlequote}), $namespace)
HAVING count() > 0
