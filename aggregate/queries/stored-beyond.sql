-- Per partition: rows of truth and rejects at or behind the end of the block log (`ends`, offset per partition).
SELECT kafka_partition AS partition, toString(min(kafka_offset)) AS first, toString(max(kafka_offset)) AS last,
  toString(count()) AS rows
FROM (
  SELECT kafka_partition, kafka_offset
  FROM usage_events_v1
  WHERE time >= {from:DateTime64(3, 'UTC')}
    AND kafka_offset >= arrayElement({ends:Array(UInt64)}, kafka_partition + 1)
  UNION ALL
  SELECT kafka_partition, kafka_offset
  FROM usage_rejected_v1
  WHERE arrived_at >= {from:DateTime64(3, 'UTC')}
    AND kafka_offset >= arrayElement({ends:Array(UInt64)}, kafka_partition + 1)
)
GROUP BY partition
ORDER BY partition
