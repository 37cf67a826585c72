-- About how many windows (namespace and meter) each of the minutes has.
SELECT toUnixTimestamp(usage_minute_v1.minute) AS minute, uniqCombined(namespace, meter) AS windows
FROM usage_minute_v1
WHERE toStartOfHour(usage_minute_v1.minute) IN {touched_hours:Array(DateTime('UTC'))}
  AND usage_minute_v1.minute IN {minutes:Array(DateTime('UTC'))} AND (in_shard)
GROUP BY usage_minute_v1.minute
