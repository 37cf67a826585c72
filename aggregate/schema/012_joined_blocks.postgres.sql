-- Blocks that nobody needs alone any more become one row per stretch of a partition (block-joins.ts). Such a row stands for
-- `blocks` of them, each beginning where the one before ends, and carries their sums: messages = accepted + rejected =
-- end_offset - first_offset, so each message counts once. Of ranges that were redelivered the pieces that fit one another are
-- summed, those inside the stretch are dropped, and one that only overlaps it stays a row of its own.
-- seq is that of the block recorded first, so a row is behind a position in that order only if all of it is; stored_at and
-- rolled_up_run are the latest. The name of a joined row leads to no marks of touched minutes: those of its blocks did their
-- work. No joined row goes beyond a barrier that was taken.
-- Writer: the integrity job. Readers: as of ingest_blocks.
ALTER TABLE ingest_blocks ADD COLUMN blocks integer NOT NULL DEFAULT 1;

-- The newest blocks: to compare the stores at every start, and for samples.
CREATE INDEX ingest_blocks_by_time ON ingest_blocks (topic, stored_at);
