-- The period's hour totals as of its barrier, with the digest of the events behind each.
INSERT INTO closed_usage_hour_v1 (period, account, namespace, meter, hour, quantity, events, digest_sum, digest_xor)
SELECT
  {period:String},
  substring(namespace, position(namespace, '.') + 1),
  namespace, meter, toStartOfHour(minute) AS hour,
  sum(toDecimal256(units, 12)), count(), sumWithOverflow(digest), groupBitXor(digest)
FROM (counted_events)
GROUP BY namespace, meter, hour
