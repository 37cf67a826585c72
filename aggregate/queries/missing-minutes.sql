-- Minutes that the given blocks touched, and those of standing findings, in which the truth holds nothing. A block's copies
-- may all have been stored before, but then their first copies stand in the same minute.
SELECT namespace, toString(minute) AS at, any(block) AS in_block
FROM (
  SELECT namespace, minute, block
  FROM usage_dirty_v1
  WHERE block IN {blocks:Array(String)}
  UNION ALL
  SELECT standing.1 AS namespace, standing.2 AS minute, standing.3 AS block
  FROM (
    SELECT arrayJoin(arrayZip(
      {standing_namespaces:Array(String)}, {standing_minutes:Array(DateTime('UTC'))}, {standing_blocks:Array(String)}
    )) AS standing
  )
)
WHERE (namespace, minute) NOT IN (
    SELECT namespace, toStartOfMinute(time)
    FROM usage_events_v1
    WHERE toStartOfHour(time) IN {hours:Array(DateTime('UTC'))}
  )
GROUP BY namespace, minute
ORDER BY namespace, minute
LIMIT {limit:UInt32}
