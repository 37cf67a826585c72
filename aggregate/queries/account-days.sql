-- One account's usage by day. The account leads the key, so only its own rows are read, however many others there are.
SELECT meter, toString(day) AS on_day, toString(sum(quantity)) AS units
FROM usage_day_v1 FINAL
WHERE account = {account:String} AND day >= toDate({from:DateTime64(3, 'UTC')}) AND day < toDate({to:DateTime64(3, 'UTC')})
GROUP BY meter, day
HAVING sum(quantity) != 0
ORDER BY day, meter
SETTINGS do_not_merge_across_partitions_select_final = 1
