-- Per namespace and meter: the period as of a later barrier (`before`) minus what was closed. Zero deltas are left out.
SELECT substring(namespace, position(namespace, '.') + 1) AS account, namespace, meter, toString(sum(delta)) AS units
FROM (
  SELECT namespace, meter, toDecimal256(units, 12) AS delta FROM (counted_events)
  UNION ALL
  SELECT namespace, toString(meter) AS meter, -quantity AS delta
  FROM closed_usage_hour_v1 FINAL
  WHERE period = {period:String}
)
GROUP BY namespace, meter
HAVING sum(delta) != 0
ORDER BY namespace, meter
