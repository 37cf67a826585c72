-- A period's totals and digests out of first copies. `losers` names copies whose first copy lies in another month and
-- was not at hand (an archive holds one month).
SELECT namespace, meter,
  toString(sum(units)) AS total, toString(count()) AS counted,
  toString(sumWithOverflow(digest)) AS sum_of_digests, toString(groupBitXor(digest)) AS xor_of_digests
FROM (
  SELECT namespace,
    transform(type, {types:Array(String)}, {meters:Array(String)}, '') AS meter,
    toDecimal256(quantity, 12) * transform(type, {types:Array(String)}, {weights:Array(UInt32)}, 0) AS units,
    reinterpretAsUInt128(sipHash128(id_hash, type, toString(quantity))) AS digest
  FROM {first:Identifier}
  WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')} AND has({types:Array(String)}, type)
    AND (namespace, source, id, time) NOT IN (
      SELECT namespace, source, voids, time FROM {first:Identifier} WHERE type = 'void'
    )
    AND (id_hash, type, time, quantity) NOT IN (SELECT id_hash, type, time, quantity FROM {losers:Identifier})
)
GROUP BY namespace, meter
ORDER BY namespace, meter
