-- Hours that hold usage, of months whose truth still stands.
SELECT toUnixTimestamp(rolled) AS hour
FROM (SELECT DISTINCT hour AS rolled FROM usage_hour_v1)
WHERE rolled >= {from:DateTime64(3, 'UTC')} AND rolled < {to:DateTime64(3, 'UTC')}
  AND formatDateTime(rolled, '%Y-%m') NOT IN {dropped:Array(String)}
ORDER BY hour
