SELECT
  period,
  topic,
  barrier,
  toUnixTimestamp64Milli(barrier_at) AS barrier_at_ms,
  catalogue,
  closed,
  toUnixTimestamp64Milli(closed_at) AS closed_at_ms,
  digest,
  events
FROM period_records_v1 FINAL
ORDER BY period
