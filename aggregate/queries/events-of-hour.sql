-- The stored events of one account in one hour that belong to the given types, with what takes them out of the count.
SELECT
  namespace, toString(type) AS type, toString(source) AS source, id, toString(quantity) AS quantity_text, voids,
  toUnixTimestamp64Milli(time) AS at_ms, toUnixTimestamp64Milli(arrived_at) AS arrived_ms,
  kafka_partition AS partition, toString(kafka_offset) AS offset,
  (id_hash, toString(type), time, quantity) IN (SELECT id_hash, type, time, quantity FROM usage_conflicts_v1) AS conflict
FROM usage_events_v1 FINAL
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
  AND endsWith(namespace, concat('.', {account:String}))
  AND (type IN {types:Array(String)} OR type = 'void')
ORDER BY namespace, time, kafka_partition, kafka_offset
LIMIT {limit:UInt32}
