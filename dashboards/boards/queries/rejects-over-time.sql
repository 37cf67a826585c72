-- Rejected records of the tenant over time, by reason.
SELECT $__timeInterval(arrived_at) AS time, reason, count() AS records
FROM usage_rejected_v1 FINAL
WHERE $__timeFilter(arrived_at) AND endsWith(subject, concat('.', ${tenant:singlequote}))
  AND $__conditionalAll(subject IN (${namespace:singlequote}), $namespace)
GROUP BY time, reason
ORDER BY time, reason
