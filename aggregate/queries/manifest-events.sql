-- How many distinct events the sources say they produced, by their latest manifests.
SELECT count() AS manifests, toString(sum(events)) AS produced
FROM usage_manifests_v1 FINAL
