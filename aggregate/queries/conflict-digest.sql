-- Changes when a conflict is added; the same however often each was written.
SELECT toString(sum(reinterpretAsUInt128(sipHash128(id_hash, type, time, quantity)))) AS digest
FROM usage_conflicts_v1 FINAL
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
