-- Distinct events that the sources' manifests announce for the hours of a window.
SELECT toString(count()) AS manifests, toString(sum(events)) AS announced
FROM usage_manifests_v1 FINAL
WHERE hour >= {from:DateTime64(3, 'UTC')} AND hour < {to:DateTime64(3, 'UTC')}
