-- One account's usage by hour, summed over its namespaces.
SELECT meter, toUnixTimestamp(hour) AS at, toString(sum(quantity)) AS units
FROM usage_hour_v1 FINAL
WHERE account = {account:String} AND hour >= {from:DateTime64(3, 'UTC')} AND hour < {to:DateTime64(3, 'UTC')}
GROUP BY meter, hour
HAVING sum(quantity) != 0
ORDER BY hour, meter
SETTINGS do_not_merge_across_partitions_select_final = 1
