-- Actions per namespace over time: the six largest of the tenant's, and the others together.
SELECT
  $__timeInterval(hour) AS time,
  if(namespace IN (
    SELECT namespace
    FROM usage_hour_v1
    WHERE account = ${tenant:singlequote} AND $__timeFilter(hour) AND meter = 'actions'
    GROUP BY namespace
    ORDER BY sum(quantity) DESC, namespace
    LIMIT 6
  ), substring(namespace, 1, position(namespace, '.') - 1), 'others') AS name,
  toFloat64(sum(quantity)) / 10 AS actions
FROM usage_hour_v1 FINAL
WHERE account = ${tenant:singlequote} AND $__timeFilter(hour) AND meter = 'actions'
  AND $__conditionalAll(namespace IN (${namespace:singlequote}), $namespace)
GROUP BY time, name
ORDER BY time, name
