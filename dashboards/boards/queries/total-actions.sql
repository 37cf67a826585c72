-- Actions of the chosen range.
SELECT toFloat64(sum(quantity)) / 10 AS actions
FROM usage_hour_v1 FINAL
WHERE account = ${tenant:singlequote} AND $__timeFilter(hour) AND meter = 'actions'
  AND $__conditionalAll(namespace IN (${namespace:singlequote}), $namespace)
HAVING count() > 0
