SELECT DISTINCT toUnixTimestamp(toStartOfHour(minute)) AS hour
FROM usage_dirty_v1
WHERE block IN {blocks:Array(String)}
ORDER BY hour
