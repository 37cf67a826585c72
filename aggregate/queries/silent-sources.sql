-- Sources that sent manifests in the week before `to` and since then neither a manifest nor usage.
SELECT source, toString(max(hour)) AS last_hour
FROM usage_manifests_v1
WHERE hour >= {to:DateTime64(3, 'UTC')} - INTERVAL 7 DAY AND hour <= {now:DateTime64(3, 'UTC')}
GROUP BY source
HAVING max(hour) < {to:DateTime64(3, 'UTC')}
  AND source NOT IN (
    SELECT toString(source)
    FROM usage_events_v1
    WHERE time >= {to:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}
  )
ORDER BY source
