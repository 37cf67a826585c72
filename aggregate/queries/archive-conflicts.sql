-- Losing copies of the month: the winner may lie in another one, so an archive could not tell by itself.
SELECT namespace, source, id, type, time, quantity, kafka_partition, kafka_offset, winner_offset
FROM usage_conflicts_v1 FINAL
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
ORDER BY id_hash, type, time, quantity
