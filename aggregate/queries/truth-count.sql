-- Rows of a stretch of the truth, one per identity and content.
SELECT count() AS rows
FROM usage_events_v1 FINAL
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
