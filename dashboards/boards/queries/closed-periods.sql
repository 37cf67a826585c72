-- The closed periods of the tenant, newest first.
SELECT DISTINCT period
FROM closed_usage_hour_v1
WHERE account = ${tenant:singlequote}
ORDER BY period DESC
