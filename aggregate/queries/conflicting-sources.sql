-- Sources that sent one identity with different contents, with examples. Reads the truth itself, so it does not depend
-- on conflicts having been named.
SELECT source, month, toString(count()) AS identities, groupArraySample(5, 1)(concat(namespace, ' ', id)) AS examples
FROM (
  SELECT any(toString(source)) AS source, any(namespace) AS namespace, any(id) AS id,
    formatDateTime(min(time), '%Y-%m') AS month
  FROM usage_events_v1
  WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
  GROUP BY id_hash
  HAVING min(time) != max(time) OR min(quantity) != max(quantity) OR min(type) != max(type)
)
GROUP BY source, month
ORDER BY source, month
