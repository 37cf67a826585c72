-- Business time when it is simulated: at most one row, moved forward by fixtures only.
-- Writer: fixtures. Readers: every stage, at the start of a unit of work.
CREATE TABLE business_clock (
  id  integer PRIMARY KEY CHECK (id = 1),
  now timestamptz NOT NULL
);
