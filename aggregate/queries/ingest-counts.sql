-- What became of the records before a barrier, as far as the truth still stands: months in `dropped` are counted by their
-- archives, whatever is left of them here. An identity counts by its first copy, so that one whose copies lie in two
-- months is not counted by both.
SELECT
  (
    SELECT uniqExact(id_hash)
    FROM usage_events_v1
    WHERE kafka_offset < arrayElement({before:Array(UInt64)}, kafka_partition + 1)
      AND (empty({dropped:Array(String)}) OR formatDateTime(time, '%Y-%m') NOT IN {dropped:Array(String)})
      AND (id_hash, toString(type), time, quantity) NOT IN (SELECT id_hash, type, time, quantity FROM usage_conflicts_v1)
  ) AS unique,
  (
    SELECT count()
    FROM usage_conflicts_v1 FINAL
    WHERE kafka_offset < arrayElement({before:Array(UInt64)}, kafka_partition + 1)
  ) AS conflicts
