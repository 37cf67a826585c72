-- What the close record stores: totals and digests per namespace and meter. Where all hours were emptied there is nothing.
SELECT namespace, meter,
  toString(sum(quantity)) AS total, toString(sum(events)) AS counted,
  toString(sumWithOverflow(digest_sum)) AS sum_of_digests, toString(groupBitXor(digest_xor)) AS xor_of_digests
FROM closed_usage_hour_v1 FINAL
WHERE period = {period:String}
GROUP BY namespace, meter
HAVING sum(events) != 0
ORDER BY namespace, meter
