-- The one log that this database counts: its topic and how many partitions that has. Offsets mean something in it alone. The
-- first copy of an event wins by its offset within the one partition to which its key leads, and a barrier is an offset per
-- partition: in another topic, or after the number of partitions has changed, usage counted before would fall behind a
-- barrier, and a copy sent again could lie in another partition and win over the one that was counted.
-- Rule: it never changes. Another topic, or another number of partitions, needs databases of its own. Sinks, the integrity
-- job and whoever takes a barrier refuse to work on anything else (LOG_LAYOUT_CHANGED), and a running sink stops when its
-- topic grows.
-- Writer: the first sink that starts, once. Readers: every stage at its start, whoever takes a barrier.
CREATE TABLE log_layout (
  the_only_one  boolean PRIMARY KEY DEFAULT true CHECK (the_only_one),
  topic         text NOT NULL,
  partitions    integer NOT NULL CHECK (partitions > 0),
  remembered_at timestamptz NOT NULL DEFAULT now()
);
