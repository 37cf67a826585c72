-- Every account's usage of a window of whole days, its meters side by side: grouping by the account alone follows the
-- order of the key, and a third of the rows cross the wire. Meters without usage are not in the map.
SELECT account, totals.1 AS meters, arrayMap(units -> toString(units), totals.2) AS units
FROM (
  SELECT account, sumMap([toString(meter)], [quantity]) AS totals
  FROM usage_day_v1 FINAL
  WHERE day >= toDate({from:DateTime64(3, 'UTC')}) AND day < toDate({to:DateTime64(3, 'UTC')})
  GROUP BY account
)
WHERE notEmpty(meters)
ORDER BY account
SETTINGS do_not_merge_across_partitions_select_final = 1
