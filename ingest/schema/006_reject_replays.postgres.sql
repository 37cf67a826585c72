-- Rejects that an operator sent again under a case id, written before the record is sent and completed once it is stored.
-- partition and offset are those of the reject; stored_* those of the copy that counts (the first one, if it had been
-- counted before). A row without outcome is in doubt: replaying again is harmless and settles it.
-- events_before and events_after count the namespace's events of that hour: they differ by one, or by none.
-- Writer: trueup rejects replay. Readers: people, audits.
CREATE TABLE reject_replays (
  id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  case_id          text NOT NULL,
  operator         text NOT NULL,
  why              text NOT NULL,
  topic            text NOT NULL,
  partition        integer NOT NULL,
  "offset"         bigint NOT NULL,
  subject          text NOT NULL,
  source           text NOT NULL,
  event_id         text NOT NULL,
  line_sha256      text NOT NULL,
  corrected        boolean NOT NULL,
  requested_at     timestamptz NOT NULL DEFAULT now(),
  outcome          text CHECK (outcome IN ('COUNTED', 'COUNTED_BEFORE')),
  stored_partition integer,
  stored_offset    bigint,
  events_before    bigint,
  events_after     bigint,
  finished_at      timestamptz,
  CHECK ((outcome IS NULL) = (finished_at IS NULL))
);
CREATE INDEX reject_replays_by_reject ON reject_replays (topic, partition, "offset");
