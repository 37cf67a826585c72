-- Parts of the given tables, oldest first.
SELECT table, name AS part, partition_id AS partition, toString(bytes_on_disk) AS bytes
FROM system.parts
WHERE database = currentDatabase() AND active AND table IN {tables:Array(String)}
ORDER BY modification_time, table, name
