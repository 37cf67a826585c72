-- The accounts that used most in the chosen range; any other name can be typed.
SELECT account
FROM usage_day_v1
WHERE $__dateFilter(day)
GROUP BY account
ORDER BY sum(events) DESC, account
LIMIT 1000
