INSERT INTO period_records_v1
  (period, topic, barrier, barrier_at, catalogue, closed, closed_at, digest, events)
SELECT
  {period:String},
  {topic:String},
  {barrier:Array(String)},
  fromUnixTimestamp64Milli({barrier_at_ms:Int64}, 'UTC'),
  {catalogue:String},
  {closed:UInt8},
  fromUnixTimestamp64Milli({closed_at_ms:Int64}, 'UTC'),
  {digest:String},
  {events:UInt64}
