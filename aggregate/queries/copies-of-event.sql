-- Every stored copy of an event id. Copies with the same content collapse into the first one when parts are merged.
SELECT
  namespace, toString(type) AS type, toString(source) AS source, id, toString(quantity) AS quantity_text, voids,
  toUnixTimestamp64Milli(time) AS at_ms, toUnixTimestamp64Milli(arrived_at) AS arrived_ms,
  kafka_partition AS partition, toString(kafka_offset) AS offset,
  (id_hash, toString(type), time, quantity) IN (SELECT id_hash, type, time, quantity FROM usage_conflicts_v1) AS conflict
FROM usage_events_v1
WHERE (id = {id:String} OR (type = 'void' AND voids = {id:String}))
  AND ({subject:String} = '' OR namespace = {subject:String})
  AND ({source:String} = '' OR source = {source:String})
ORDER BY kafka_partition, kafka_offset
LIMIT 1 BY kafka_partition, kafka_offset
LIMIT {limit:UInt32}
