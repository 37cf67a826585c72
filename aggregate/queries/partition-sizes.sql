SELECT table, toString(sum(rows)) AS rows, toString(sum(bytes_on_disk)) AS bytes
FROM system.parts
WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)} AND partition = {partition:String}
GROUP BY table
ORDER BY table
