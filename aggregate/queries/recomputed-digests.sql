-- The same as closed-digests, computed from the truth again: a second close must reproduce the first.
SELECT namespace, meter,
  toString(sum(toDecimal256(units, 12))) AS total, toString(count()) AS counted,
  toString(sumWithOverflow(digest)) AS sum_of_digests, toString(groupBitXor(digest)) AS xor_of_digests
FROM (counted_events)
GROUP BY namespace, meter
ORDER BY namespace, meter
