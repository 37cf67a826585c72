-- Parts of ClickHouse tables that the engine lost, and what restores them: the log, read again from from_offsets to
-- to_offsets by sinks whose blocks are numbered behind since_seq. While one is not restored, nothing is closed or
-- adjusted, because the truth lacks rows without looking wrong.
-- Writer: trueup integrity restore; restored_at: whoever finds it done. Readers: the close, the integrity job.
CREATE TABLE part_restorations (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic        text NOT NULL,
  parts        jsonb NOT NULL,
  from_offsets jsonb NOT NULL,
  to_offsets   jsonb NOT NULL,
  since_seq    bigint NOT NULL,
  recorded_at  timestamptz NOT NULL DEFAULT now(),
  restored_at  timestamptz
);
