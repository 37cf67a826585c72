-- Rows whose offsets lie in a stretch of a partition.
SELECT
  (SELECT count() FROM usage_events_v1
   WHERE kafka_partition = {partition:UInt16} AND kafka_offset >= {first:UInt64} AND kafka_offset < {end:UInt64})
  + (SELECT count() FROM usage_rejected_v1
     WHERE kafka_partition = {partition:UInt16} AND kafka_offset >= {first:UInt64} AND kafka_offset < {end:UInt64})
  AS rows
