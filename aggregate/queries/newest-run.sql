-- Days are a pass' last grain, so theirs is its highest run.
SELECT max(run) AS run FROM usage_day_v1
