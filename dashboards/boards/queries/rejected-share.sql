-- Rejected records over all records that name the tenant.
SELECT rejected / (rejected + accepted) AS share
FROM (
  SELECT
    (
      SELECT count()
      FROM usage_rejected_v1 FINAL
      WHERE $__timeFilter(arrived_at) AND endsWith(subject, concat('.', ${tenant:singlequote}))
        AND $__conditionalAll(subject IN (${namespace:singlequote}), $namespace)
    ) AS rejected,
    (
      SELECT sum(events)
      FROM usage_hour_v1 FINAL
      WHERE account = ${tenant:singlequote} AND $__timeFilter(hour)
        AND $__conditionalAll(namespace IN (${namespace:singlequote}), $namespace)
    ) AS accepted
)
WHERE rejected + accepted > 0
