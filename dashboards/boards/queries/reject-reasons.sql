-- Why records of the tenant were rejected, and what the sender should do.
SELECT reason AS "Reason", reason AS "What the sender should do", count() AS "Records", max(arrived_at) AS "Newest"
FROM usage_rejected_v1 FINAL
WHERE $__timeFilter(arrived_at) AND endsWith(subject, concat('.', ${tenant:singlequote}))
  AND $__conditionalAll(subject IN (${namespace:singlequote}), $namespace)
GROUP BY reason
ORDER BY "Records" DESC, reason
