-- Which processes run, and the schema each was built for: the number of schema files in its checkout. One row per process
-- while it runs; a row that is no longer seen is left by a process that died. Times are the database's.
-- Writer: every process, at its start and every few seconds. Reader: trueup migrate --contract.
CREATE TABLE processes (
  id           text PRIMARY KEY,
  name         text NOT NULL,
  schema_level integer NOT NULL,
  started_at   timestamptz NOT NULL DEFAULT now(),
  seen_at      timestamptz NOT NULL DEFAULT now()
);
