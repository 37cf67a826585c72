-- Minutes that the given blocks touched and in which the truth holds nothing. A block's copies may all have been stored
-- before, but then their first copies stand in the same minute.
SELECT namespace, toString(minute) AS at, any(block) AS in_block
FROM usage_dirty_v1
WHERE block IN {blocks:Array(String)}
  AND (namespace, minute) NOT IN (
    SELECT namespace, toStartOfMinute(time)
    FROM usage_events_v1
    WHERE toStartOfHour(time) IN {hours:Array(DateTime('UTC'))}
  )
GROUP BY namespace, minute
ORDER BY namespace, minute
LIMIT 100
