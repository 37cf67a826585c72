-- What became of the records before a barrier.
SELECT
  (
    SELECT uniqExact(id_hash)
    FROM usage_events_v1
    WHERE kafka_offset < arrayElement({before:Array(UInt64)}, kafka_partition + 1)
  ) AS unique,
  (
    SELECT count()
    FROM usage_conflicts_v1 FINAL
    WHERE kafka_offset < arrayElement({before:Array(UInt64)}, kafka_partition + 1)
  ) AS conflicts
