-- The truth of a window, all copies that are there, into a scratch table.
INSERT INTO {events:Identifier}
  (namespace, type, time, source, id, quantity, voids, generation, kafka_partition, kafka_offset, arrived_at)
SELECT namespace, type, time, source, id, quantity, voids, generation, kafka_partition, kafka_offset, arrived_at
FROM usage_events_v1
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
