-- Events counted for each account on one day.
SELECT account, toUInt64(sum(events)) AS counted
FROM usage_day_v1 FINAL
WHERE day = {day:Date}
GROUP BY account
ORDER BY counted DESC, account
