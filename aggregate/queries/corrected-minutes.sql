-- Those of the given minutes in which something is taken back, or a conflict was decided.
SELECT DISTINCT toUnixTimestamp(toStartOfMinute(time)) AS minute
FROM usage_events_v1
WHERE toStartOfMinute(time) IN {minutes:Array(DateTime('UTC'))} AND type = 'void'
UNION DISTINCT
SELECT DISTINCT toUnixTimestamp(toStartOfMinute(time)) AS minute
FROM usage_conflicts_v1
WHERE toStartOfMinute(time) IN {minutes:Array(DateTime('UTC'))}
