-- A stretch of the truth as it goes into the archive: the first copy of every identity and content, voids and conflicting
-- copies included, in the order of the table's key, so that the same rows make the same file.
SELECT namespace, toString(type) AS type, time, toString(source) AS source, id, quantity, voids, generation,
  kafka_partition, kafka_offset, arrived_at
FROM usage_events_v1 FINAL
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
ORDER BY toStartOfHour(time), namespace, type, id_hash, time, quantity
