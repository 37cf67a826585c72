-- The accounts that used most of one meter; equal ones by name.
SELECT account, toString(sum(quantity)) AS units
FROM usage_day_v1 FINAL
WHERE meter = {meter:String} AND day >= toDate({from:DateTime64(3, 'UTC')}) AND day < toDate({to:DateTime64(3, 'UTC')})
GROUP BY account
HAVING sum(quantity) != 0
ORDER BY sum(quantity) DESC, account
LIMIT {limit:UInt32}
SETTINGS do_not_merge_across_partitions_select_final = 1
