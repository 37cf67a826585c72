-- Days of touched minutes whose blocks are all rolled up long since.
SELECT DISTINCT partition
FROM system.parts
WHERE active AND database = currentDatabase() AND table = 'usage_dirty_v1' AND toUInt32(partition) < {before:UInt32}
ORDER BY partition
