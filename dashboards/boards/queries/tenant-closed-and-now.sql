-- The same for one tenant.
SELECT
  multiIf(meter = 'actions', 'Actions', meter = 'active_storage', 'Active storage, GBh', 'Retained storage, GBh') AS "Meter",
  toFloat64(sum(closed)) / if(meter = 'actions', 10, 1000) AS "As closed",
  toFloat64(sum(rolled)) / if(meter = 'actions', 10, 1000) AS "Rolled up now",
  toFloat64(sum(rolled) - sum(closed)) / if(meter = 'actions', 10, 1000) AS "Since the close"
FROM (
  SELECT meter, quantity AS closed, toDecimal256(0, 12) AS rolled
  FROM closed_usage_hour_v1 FINAL
  WHERE period = ${period:singlequote} AND account = ${tenant:singlequote}
  UNION ALL
  SELECT meter, toDecimal256(0, 12) AS closed, quantity AS rolled
  FROM usage_day_v1 FINAL
  WHERE account = ${tenant:singlequote} AND day >= toDate(concat(${period:singlequote}, '-01'))
    AND day < toDate(concat(${period:singlequote}, '-01')) + INTERVAL 1 MONTH
)
GROUP BY meter
ORDER BY meter
