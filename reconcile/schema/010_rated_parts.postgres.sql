-- A price that changes inside a period makes several parts of one meter, each rated by itself from its first tier on.
-- part_start is where the part begins; lines from before this migration cover their period as a whole.
ALTER TABLE rated_lines ADD COLUMN part_start timestamptz;

UPDATE rated_lines SET part_start = (reconcile_runs.period || '-01T00:00:00Z')::timestamptz
FROM reconcile_runs WHERE reconcile_runs.run = rated_lines.run;

ALTER TABLE rated_lines
  ALTER COLUMN part_start SET NOT NULL,
  DROP CONSTRAINT rated_lines_pkey,
  ADD PRIMARY KEY (run, account, meter, part_start, tier);
