-- Blocks of marks, drawn without reading the others: of every part each so many-th, the first of them by its name.
SELECT DISTINCT block
FROM usage_dirty_v1
WHERE (_part_offset + cityHash64(_part)) % {every:UInt64} = {from:UInt64}
LIMIT {limit:UInt32}
