SELECT account, namespace, meter, toString(sum(quantity)) AS total, toString(sum(events)) AS counted
FROM closed_usage_hour_v1 FINAL
WHERE period = {period:String}
GROUP BY account, namespace, meter
HAVING sum(events) != 0
ORDER BY account, namespace, meter
