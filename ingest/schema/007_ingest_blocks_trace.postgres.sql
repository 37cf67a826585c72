-- The W3C traceparent of the span that stored a block, so that the rollup's span can link to it. Null while tracing is off.
-- Writer: the sink. Reader: aggregate. Nothing is decided by it.
ALTER TABLE ingest_blocks ADD COLUMN trace text;
