-- One row per contiguous range of the log that has been stored: [first_offset, end_offset).
-- Ranges of a partition join without gaps; an overlap is a redelivery. messages = accepted + rejected always, and
-- accepted = the rows the engine reported received (promise I1).
-- Writer: the sink, after truth, rejects and dirty marks, before the offset commit.
-- Reader: aggregate, whose work list is the blocks without rolled_up_run; it alone sets that column.
CREATE TABLE ingest_blocks (
  block         text PRIMARY KEY,
  seq           bigint GENERATED ALWAYS AS IDENTITY,
  topic         text NOT NULL,
  partition     integer NOT NULL,
  first_offset  bigint NOT NULL,
  end_offset    bigint NOT NULL CHECK (end_offset > first_offset),
  messages      integer NOT NULL,
  accepted      integer NOT NULL,
  rejected      integer NOT NULL,
  stored_at     timestamptz NOT NULL DEFAULT now(),
  rolled_up_run bigint,
  CHECK (messages = accepted + rejected)
);
CREATE INDEX ingest_blocks_to_roll_up ON ingest_blocks (seq) WHERE rolled_up_run IS NULL;
CREATE INDEX ingest_blocks_by_offset ON ingest_blocks (topic, partition, first_offset);
