-- Cases: what people do about breaks. One per stable key (period, account, code, meter, currency), so that a repeated run
-- finds its cases again. The row is where a case stands; case_events is how it got there, and is only ever added to.
-- Writers: cases/book.ts (people) and cases/carry.ts (runs).
CREATE TABLE cases (
  case_id      text PRIMARY KEY,
  period       text NOT NULL,
  account      text NOT NULL,
  code         text NOT NULL,
  meter        text NOT NULL,
  currency     text NOT NULL,
  state        text NOT NULL CHECK (state IN
    ('open', 'assigned', 'investigating', 'repair-planned', 'repaired', 'accepted', 'written-off', 'closed')),
  owner        text REFERENCES principals,
  severity     text NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low')),
  due_at       timestamptz NOT NULL,
  -- The money as the last run found it, expected − charged.
  amount_minor bigint NOT NULL,
  -- Why it is settled; null while it is not.
  reason       text,
  opened_at    timestamptz NOT NULL,
  first_run    text NOT NULL REFERENCES reconcile_runs,
  last_run     text NOT NULL REFERENCES reconcile_runs,
  UNIQUE (period, account, code, meter, currency),
  CONSTRAINT settled_only_with_a_reason CHECK (
    CASE WHEN state IN ('accepted', 'written-off', 'closed') THEN reason IS NOT NULL AND btrim(reason) <> ''
    ELSE reason IS NULL END)
);
CREATE INDEX cases_by_account ON cases (account, period);

CREATE TABLE case_events (
  case_id text NOT NULL REFERENCES cases,
  ordinal integer NOT NULL CHECK (ordinal > 0),
  at      timestamptz NOT NULL,
  actor   text NOT NULL,
  event   jsonb NOT NULL,
  PRIMARY KEY (case_id, ordinal)
);
CREATE TRIGGER case_events_are_append_only BEFORE UPDATE OR DELETE ON case_events
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER case_events_are_kept BEFORE TRUNCATE ON case_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER cases_are_kept BEFORE DELETE ON cases FOR EACH ROW EXECUTE FUNCTION refuse_change();
