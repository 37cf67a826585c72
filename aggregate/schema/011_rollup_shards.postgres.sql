-- Shards of the rollup. A namespace belongs to one by the hash of its name; as many rows as shards. A worker owns a shard
-- while its lease lasts, which spares work and decides nothing: run numbers alone say whose rollup holds.
-- wanted_by: a worker with fewer shards, to whom the owner hands this one over.
-- runs_taken: counts the runs taken for the shard, so that its owner sees whether somebody else took one.
-- Writers and readers: rollup workers.
CREATE TABLE rollup_shards (
  shard        integer PRIMARY KEY CHECK (shard >= 0),
  owner        text,
  leased_until timestamptz,
  wanted_by    text,
  runs_taken   bigint NOT NULL DEFAULT nextval('rollup_runs'),
  CHECK ((owner IS NULL) = (leased_until IS NULL))
);
INSERT INTO rollup_shards (shard) VALUES (0);

-- Which of so many shards have rolled a block up, until all have and ingest_blocks says so.
CREATE TABLE rollup_shards_done (
  block  text,
  shards integer,
  shard  integer,
  PRIMARY KEY (block, shards, shard)
);

-- Moves when somebody rolls up who owns no shard: a close that decided a conflict, for example.
CREATE SEQUENCE rollup_disturbances;
SELECT nextval('rollup_disturbances');
