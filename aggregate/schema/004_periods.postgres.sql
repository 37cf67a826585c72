-- The life of a billing period: CLOSING from the moment its barrier is taken, CLOSED once its digest is recorded.
-- A period without a row is open (or in grace, by the clock). Nothing ever returns to open.
-- barrier is the end offset per partition, as strings; it is written once and never changes (promise I4).
-- conflicts_swept: a digest over the conflicts that the period's rollups have been recomputed without.
-- Writer: period close. Readers: the usage door.
CREATE TABLE periods (
  key           text PRIMARY KEY,
  state         text NOT NULL CHECK (state IN ('CLOSING', 'CLOSED')),
  topic         text NOT NULL,
  barrier       jsonb NOT NULL,
  barrier_at    timestamptz NOT NULL,
  closed_at     timestamptz,
  digest        text,
  events        bigint,
  catalogue     jsonb NOT NULL,
  conflicts_swept text,
  CHECK ((state = 'CLOSED') = (digest IS NOT NULL AND closed_at IS NOT NULL AND events IS NOT NULL))
);

-- A close looks only at blocks behind the barrier that was closed last.
CREATE INDEX ingest_blocks_by_end ON ingest_blocks (topic, partition, end_offset);

-- Rollup runs are numbered by this sequence: a run is taken before its rows are read, so the later reader wins.
CREATE SEQUENCE rollup_runs;
