-- Hours and days that are not the sum of their minutes.
SELECT namespace, meter, day, toString(sum(m)) AS minutes, toString(sum(h)) AS hours, toString(sum(d)) AS days
FROM (
  SELECT namespace, meter, toDate(minute) AS day, quantity AS m, toDecimal256(0, 12) AS h, toDecimal256(0, 12) AS d
  FROM usage_minute_v1 FINAL
  WHERE minute >= {from:DateTime64(3, 'UTC')} AND minute < {to:DateTime64(3, 'UTC')}
  UNION ALL
  SELECT namespace, meter, toDate(hour), toDecimal256(0, 12), quantity, toDecimal256(0, 12)
  FROM usage_hour_v1 FINAL
  WHERE hour >= {from:DateTime64(3, 'UTC')} AND hour < {to:DateTime64(3, 'UTC')}
  UNION ALL
  SELECT namespace, meter, day, toDecimal256(0, 12), toDecimal256(0, 12), quantity
  FROM usage_day_v1 FINAL
  WHERE day >= toDate({from:DateTime64(3, 'UTC')}) AND day < toDate({to:DateTime64(3, 'UTC')})
)
GROUP BY namespace, meter, day
HAVING sum(m) != sum(h) OR sum(m) != sum(d)
ORDER BY day, namespace, meter
LIMIT {limit:UInt32}
