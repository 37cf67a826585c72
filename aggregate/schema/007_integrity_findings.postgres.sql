-- What the continuous proof found. SUSPECTED: seen once, which a write in flight can explain. OPEN: seen again later.
-- RESOLVED: looked for and not found any more. One row per kind and key; a finding that comes back opens again.
-- Times are machine time. Writer: integrity runs. Readers: people, alerts, reports.
CREATE TABLE integrity_findings (
  kind        text NOT NULL,
  key         text NOT NULL,
  state       text NOT NULL CHECK (state IN ('SUSPECTED', 'OPEN', 'RESOLVED')),
  seen        integer NOT NULL CHECK (seen > 0),
  first_seen  timestamptz NOT NULL,
  last_seen   timestamptz NOT NULL,
  evidence    jsonb NOT NULL,
  resolved_at timestamptz,
  PRIMARY KEY (kind, key),
  CHECK ((state = 'RESOLVED') = (resolved_at IS NOT NULL))
);
