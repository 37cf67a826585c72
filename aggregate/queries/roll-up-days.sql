-- Days of the touched minutes, as sums of their hours. The accounts are named because they lead the key of the hours:
-- without them every pass reads the month.
INSERT INTO usage_day_v1 (namespace, meter, day, quantity, events, run)
SELECT namespace, meter, toDate(hour) AS day, sum(quantity), sum(events), {run:UInt64}
FROM usage_hour_v1 FINAL
WHERE (namespace, toDate(hour)) IN (
  SELECT namespace, toDate(minute) FROM usage_dirty_v1 WHERE block IN {blocks:Array(String)} AND (in_shard)
)
AND account IN (
  SELECT substring(namespace, position(namespace, '.') + 1)
  FROM usage_dirty_v1
  WHERE block IN {blocks:Array(String)} AND (in_shard)
)
GROUP BY namespace, meter, day
