-- Every account's usage of a window of whole days, per meter.
SELECT account, meter, toString(sum(quantity)) AS units
FROM usage_day_v1 FINAL
WHERE day >= toDate({from:DateTime64(3, 'UTC')}) AND day < toDate({to:DateTime64(3, 'UTC')})
GROUP BY account, meter
HAVING sum(quantity) != 0
ORDER BY account, meter
SETTINGS do_not_merge_across_partitions_select_final = 1
