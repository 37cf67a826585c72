-- The first copy of every identity before a barrier, by one grouping over all copies: another way to the same answer as
-- counted-events.sql, which relies on replacement and on the conflicts that were named.
INSERT INTO {first:Identifier} (id_hash, namespace, source, id, type, time, quantity, voids)
SELECT id_hash, any(namespace), any(source), any(id),
  argMax(type, version), argMax(time, version), argMax(quantity, version), argMax(voids, version)
FROM (
  SELECT id_hash, namespace, toString(source) AS source, id, toString(type) AS type, time, quantity, voids, version
  FROM {events:Identifier}
  WHERE kafka_offset < arrayElement({before:Array(UInt64)}, kafka_partition + 1)
)
GROUP BY id_hash
