-- The highest run that any rollup bears. Minutes are ahead of hours and days, so every grain is asked.
SELECT greatest(
  (SELECT max(run) FROM usage_minute_v1), (SELECT max(run) FROM usage_hour_v1), (SELECT max(run) FROM usage_day_v1)
) AS run
