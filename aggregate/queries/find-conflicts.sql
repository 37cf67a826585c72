-- Identities that came with more than one content. The first copy (lowest offset: one key, one partition) is the
-- winner; every other content is a loser, kept by its own first copy. Reads a window wider than the period, because
-- copies of one identity may lie in two months. Those that are known already are not written again.
INSERT INTO usage_conflicts_v1
  (namespace, id_hash, source, id, type, time, quantity, kafka_partition, kafka_offset, winner_offset)
SELECT namespace, id_hash, source, id, type, time, quantity, kafka_partition, kafka_offset, winner_offset
FROM (
  SELECT namespace, id_hash, toString(source) AS source, id, toString(type) AS type, time, quantity,
    kafka_partition, kafka_offset,
    min(kafka_offset) OVER (PARTITION BY id_hash) AS winner_offset
  FROM usage_events_v1 FINAL
  WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
    AND id_hash IN (
      SELECT id_hash
      FROM usage_events_v1
      WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
      GROUP BY id_hash
      HAVING min(time) != max(time) OR min(quantity) != max(quantity) OR min(type) != max(type)
    )
)
WHERE kafka_offset > winner_offset
  AND (id_hash, type, time, quantity) NOT IN (SELECT id_hash, type, time, quantity FROM usage_conflicts_v1)
