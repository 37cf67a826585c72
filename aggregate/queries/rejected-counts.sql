SELECT toString(reason) AS reason, count() AS records
FROM usage_rejected_v1 FINAL
WHERE kafka_offset < arrayElement({before:Array(UInt64)}, kafka_partition + 1)
GROUP BY reason
ORDER BY reason
