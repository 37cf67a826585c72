-- What Stripe rang about. No payload is kept: an event says only which object is to be read again, so nothing personal can
-- get in here. Writers: the webhook receiver (an event's row, before it answers 2xx), the sweeps, and the processor.
-- Times are machine time, but for `created`, windows and cursors, which are Stripe's.
CREATE TABLE stripe_events (
  id          text PRIMARY KEY,
  type        text NOT NULL,
  thin        boolean NOT NULL,
  object      text NOT NULL,
  object_id   text,
  parent_id   text,
  created     timestamptz NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  origin      text NOT NULL CHECK (origin IN ('rung', 'swept')),
  state       text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'processed', 'ignored', 'failed')),
  attempts    integer NOT NULL DEFAULT 0,
  due_at      timestamptz NOT NULL DEFAULT now(),
  failure     text
);
CREATE INDEX stripe_events_due ON stripe_events (due_at) WHERE state = 'received';

-- One row per object that was ever rung about. rung > served: it must be read again. Any number of rings before that is
-- one read; a ring during a read is another one. status is what the last read found ('missing': it is gone).
CREATE TABLE stripe_refetches (
  kind       text NOT NULL CHECK (kind IN ('invoice', 'subscription', 'meter')),
  object_id  text NOT NULL,
  origin     text NOT NULL CHECK (origin IN ('rung', 'swept')),
  rung       bigint NOT NULL,
  served     bigint NOT NULL DEFAULT 0,
  attempts   integer NOT NULL DEFAULT 0,
  due_at     timestamptz NOT NULL DEFAULT now(),
  status     text,
  fetched_at timestamptz,
  failure    text,
  PRIMARY KEY (kind, object_id)
);
CREATE INDEX stripe_refetches_due ON stripe_refetches (due_at) WHERE rung > served;

-- How far back the sweeps have looked, in Stripe's time.
CREATE TABLE stripe_sweeps (
  name     text PRIMARY KEY,
  cursor   timestamptz NOT NULL,
  swept_at timestamptz NOT NULL DEFAULT now()
);

-- Usage that Stripe took and could not use, told of later. meter is Stripe's id, null when no meter reads the event name;
-- customer is null because Stripe's report names none.
CREATE TABLE meter_errors (
  event_id     text NOT NULL,
  code         text NOT NULL,
  meter        text,
  customer     text,
  window_start timestamptz NOT NULL,
  window_end   timestamptz NOT NULL,
  error_count  bigint NOT NULL,
  sample_ids   jsonb NOT NULL,
  created      timestamptz NOT NULL,
  PRIMARY KEY (event_id, code)
);
CREATE INDEX meter_errors_by_window ON meter_errors (window_start);
