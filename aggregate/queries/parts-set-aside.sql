-- Parts that the engine itself took out of the given tables because it could not load them.
SELECT table, name AS part, partition_id AS partition, reason
FROM system.detached_parts
WHERE database = currentDatabase() AND table IN {tables:Array(String)} AND reason LIKE 'broken%'
ORDER BY table, name
