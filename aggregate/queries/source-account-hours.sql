-- What one source's events count for, per account, meter and hour; `account` empty means all of them.
SELECT
  substring(namespace, position(namespace, '.') + 1) AS account, meter,
  toUnixTimestamp(toStartOfHour(minute)) AS hour, toString(sum(units)) AS counted
FROM (counted_events_of_source)
WHERE empty({account:String}) OR endsWith(namespace, concat('.', {account:String}))
GROUP BY account, meter, hour
HAVING sum(units) != 0
ORDER BY account, meter, hour
