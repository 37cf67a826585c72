SELECT DISTINCT account FROM usage_day_v1 WHERE day >= toDate(fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')) ORDER BY account
