-- The namespaces with usage in the chosen range.
SELECT DISTINCT namespace
FROM usage_day_v1
WHERE account = ${tenant:singlequote} AND $__dateFilter(day)
ORDER BY namespace
