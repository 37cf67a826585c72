-- Minutes in which a losing copy stood, to be recomputed without it.
INSERT INTO usage_dirty_v1 (block, namespace, minute)
SELECT DISTINCT {block:String}, namespace, toStartOfMinute(time)
FROM usage_conflicts_v1
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
