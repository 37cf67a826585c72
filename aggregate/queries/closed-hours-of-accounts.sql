-- Hour totals of several accounts as closed, a row per account: most of a list of hours would be names of columns otherwise.
SELECT account, groupArray((toString(meter), toUnixTimestamp(hour), toString(units))) AS hours
FROM (
  SELECT account, meter, hour, sum(quantity) AS units
  FROM closed_usage_hour_v1 FINAL
  WHERE period = {period:String} AND account IN {accounts:Array(String)}
  GROUP BY account, meter, hour
  HAVING units != 0
  ORDER BY account, meter, hour
)
GROUP BY account
