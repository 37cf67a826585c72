-- Breaks: every difference a run found, one row per code, account and meter ('' when it is not one meter's).
-- amount_minor is expected − charged. Writer: the close workflow's activities, which replace an account's rows as a whole.
CREATE TABLE breaks (
  run          text NOT NULL REFERENCES reconcile_runs,
  code         text NOT NULL,
  account      text NOT NULL,
  meter        text NOT NULL,
  stage        text NOT NULL,
  leg_group    text NOT NULL CHECK (leg_group IN ('invoice', 'period')),
  amount_minor bigint NOT NULL,
  currency     text NOT NULL,
  hours        jsonb NOT NULL,
  expected     text NOT NULL,
  actual       text NOT NULL,
  resolution   text NOT NULL,
  status       text NOT NULL CHECK (status IN ('open', 'auto-accepted')),
  broke_at     timestamptz NOT NULL,
  evidence     jsonb NOT NULL,
  PRIMARY KEY (run, code, account, meter)
);

-- What was compared, named by its SHA-256: rows are only ever added. body is canonical JSON of allow-listed fields,
-- without names, mail or addresses; kept as text so that its hash can be checked.
CREATE TABLE evidence (
  hash text PRIMARY KEY,
  kind text NOT NULL,
  body text NOT NULL
);
