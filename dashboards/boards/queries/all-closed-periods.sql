-- Every closed period, newest first: the names of partitions, without reading a row.
SELECT DISTINCT _partition_value.1 AS period
FROM closed_usage_hour_v1
ORDER BY period DESC
