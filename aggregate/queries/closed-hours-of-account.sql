SELECT meter, toUnixTimestamp(hour) AS hour, toString(sum(quantity)) AS units
FROM closed_usage_hour_v1 FINAL
WHERE period = {period:String} AND account = {account:String}
GROUP BY meter, hour
HAVING sum(quantity) != 0
ORDER BY meter, hour
