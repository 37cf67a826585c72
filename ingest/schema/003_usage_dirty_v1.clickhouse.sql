-- Minutes touched by a block of the log. Written after the truth's ack, so whoever sees a mark sees its rows.
-- Writer: the sink. Reader: aggregate, by block, when the block appears in ingest_blocks.
-- Replay safety: a mark too many costs one recomputation.
CREATE TABLE IF NOT EXISTS usage_dirty_v1 (
  block     String,
  namespace String,
  minute    DateTime('UTC'),
  marked_at DateTime('UTC') DEFAULT now()
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(marked_at)
ORDER BY (block, minute, namespace);
