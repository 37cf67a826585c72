-- Hours of the touched minutes, as sums of their minutes.
INSERT INTO usage_hour_v1 (namespace, meter, hour, quantity, events, run)
SELECT namespace, meter, toStartOfHour(minute) AS hour, sum(quantity), sum(events), {run:UInt64}
FROM usage_minute_v1 FINAL
WHERE toStartOfHour(minute) IN {hours:Array(DateTime('UTC'))}
  AND (namespace, toStartOfHour(minute)) IN (
    SELECT namespace, toStartOfHour(minute) FROM usage_dirty_v1 WHERE block IN {blocks:Array(String)} AND (in_shard)
  )
GROUP BY namespace, meter, hour
