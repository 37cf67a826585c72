-- The newest rejected records, with the coordinates under which trueup events finds them.
SELECT
  arrived_at AS "Arrived",
  reason AS "Reason",
  field AS "Field",
  splitByChar('.', subject)[1] AS "Namespace",
  splitByChar('.', subject)[2] AS "Tenant",
  source AS "Source",
  concat(toString(kafka_partition), ':', toString(kafka_offset)) AS "Partition:offset"
FROM usage_rejected_v1 FINAL
WHERE $__timeFilter(arrived_at)
ORDER BY arrived_at DESC, kafka_partition, kafka_offset
LIMIT 10
