-- What each namespace used in the chosen range.
SELECT
  namespace AS "Namespace",
  toFloat64(sumIf(quantity, meter = 'actions')) / 10 AS "Actions",
  toFloat64(sumIf(quantity, meter = 'active_storage')) / 1000 AS "Active GBh",
  toFloat64(sumIf(quantity, meter = 'retained_storage')) / 1000 AS "Retained GBh",
  sum(events) AS "Events",
  max(hour) AS "Newest hour"
FROM usage_hour_v1 FINAL
WHERE account = ${tenant:singlequote} AND $__timeFilter(hour)
  AND $__conditionalAll(namespace IN (${namespace:singlequote}), $namespace)
GROUP BY namespace
ORDER BY "Actions" DESC, namespace
LIMIT 50
