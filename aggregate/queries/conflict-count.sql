SELECT count() AS rows
FROM usage_conflicts_v1 FINAL
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
