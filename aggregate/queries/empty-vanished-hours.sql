-- Hours that stand in the period's closed totals and are none of the truth's: an earlier attempt to close wrote them, and
-- what they held was taken out since. They become empty, which takes them out of digest and totals.
INSERT INTO closed_usage_hour_v1 (period, account, namespace, meter, hour, quantity, events, digest_sum, digest_xor)
SELECT
  {period:String},
  substring(namespace, position(namespace, '.') + 1),
  namespace, meter, hour, 0, 0, 0, 0
FROM (
  SELECT namespace, meter, toStartOfHour(minute) AS hour, 1 AS is_counted FROM (counted_events)
  UNION ALL
  SELECT namespace, toString(meter) AS meter, hour, 0 AS is_counted
  FROM closed_usage_hour_v1 FINAL
  WHERE period = {period:String} AND events != 0
)
GROUP BY namespace, meter, hour
HAVING max(is_counted) = 0
