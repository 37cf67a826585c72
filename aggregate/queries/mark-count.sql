SELECT toString(count()) AS marks
FROM usage_dirty_v1
