-- Rejects whose coordinates lie in one of the given ranges: partition, first offset, end offset.
SELECT toString(count()) AS records
FROM usage_rejected_v1 FINAL
WHERE arrayExists(
  (partition, first, end) -> kafka_partition = partition AND kafka_offset >= first AND kafka_offset < end,
  {partitions:Array(UInt16)}, {firsts:Array(UInt64)}, {ends:Array(UInt64)}
)
