SELECT DISTINCT toUnixTimestamp(minute) AS minute
FROM usage_dirty_v1
WHERE block IN {blocks:Array(String)}
ORDER BY minute
