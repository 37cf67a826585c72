-- Identities of a window with more than one content, of which a losing one is not named in usage_conflicts_v1: their
-- events count more than once. `right_units` is what their first copy comes to, `counted_units` what all unnamed ones do.
-- Copies in another month are not seen here; naming conflicts looks for those (find-conflicts.sql).
SELECT substring(namespace, position(namespace, '.') + 1) AS account, namespace, meter,
  toString(sumIf(units, kafka_offset = first)) AS right_units, toString(sum(units)) AS counted_units
FROM (
  SELECT namespace, kafka_offset,
    min(kafka_offset) OVER (PARTITION BY id_hash) AS first,
    count() OVER (PARTITION BY id_hash) AS copies,
    transform(toString(type), {types:Array(String)}, {meters:Array(String)}, '') AS meter,
    toDecimal256(quantity, 12) * transform(toString(type), {types:Array(String)}, {weights:Array(UInt32)}, 0) AS units
  FROM usage_events_v1 FINAL
  WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
    AND type IN {types:Array(String)}
    AND (empty({before:Array(UInt64)}) OR kafka_offset < arrayElement({before:Array(UInt64)}, kafka_partition + 1))
    AND (id_hash, toString(type), time, quantity) NOT IN (SELECT id_hash, type, time, quantity FROM usage_conflicts_v1)
    AND id_hash IN (
      SELECT id_hash
      FROM usage_events_v1
      WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
      GROUP BY id_hash
      HAVING min(time) != max(time) OR min(quantity) != max(quantity) OR min(type) != max(type)
    )
)
WHERE copies > 1
GROUP BY namespace, meter
HAVING sumIf(units, kafka_offset = first) != sum(units)
ORDER BY namespace, meter
