-- Minutes that the given blocks touched, with the number of their namespaces.
SELECT toUnixTimestamp(minute) AS minute, uniqExact(namespace) AS namespaces
FROM usage_dirty_v1
WHERE block IN {blocks:Array(String)} AND (in_shard)
GROUP BY minute
ORDER BY minute
