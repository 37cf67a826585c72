-- Repairs: what is done at the biller about a case. The plan is fixed when it is made, approved by its hash by another
-- person, carried out step by step and read back. Times are business time. Writer: repairs/book.ts; the money at the biller
-- is moved between the writes, and every step can be done again.
CREATE TABLE bulk_corrections (
  bulk_id    text PRIMARY KEY,
  period     text NOT NULL,
  selection  text NOT NULL,
  reason     text NOT NULL CHECK (btrim(reason) <> ''),
  planned_by text NOT NULL REFERENCES principals,
  planned_at timestamptz NOT NULL
);

CREATE TABLE repairs (
  repair_id      text PRIMARY KEY,
  -- A case, or one account's part of a bulk correction, which has none.
  case_id        text NOT NULL,
  bulk_id        text REFERENCES bulk_corrections,
  period         text NOT NULL,
  account        text NOT NULL,
  code           text NOT NULL,
  meter          text NOT NULL,
  currency       text NOT NULL,
  kind           text NOT NULL CHECK (kind IN
    ('resend_hour', 'invoice_item', 'credit_note', 'reissue', 'next_period', 'write_off')),
  state          text NOT NULL CHECK (state IN ('planned', 'approved', 'applying', 'applied', 'verified', 'dropped')),
  -- Canonical JSON, kept as text so that its hash can be checked.
  plan           text NOT NULL,
  plan_hash      text NOT NULL,
  amount_minor   bigint NOT NULL,
  planned_by     text NOT NULL REFERENCES principals,
  planned_at     timestamptz NOT NULL,
  approved_by    text REFERENCES principals,
  approved_at    timestamptz,
  applied_by     text REFERENCES principals,
  applying_at    timestamptz,
  verified_at    timestamptz,
  -- What did not hold when it was read back; null when all did.
  problem        text,
  dropped_by     text REFERENCES principals,
  dropped_at     timestamptz,
  dropped_reason text,
  CONSTRAINT planner_is_not_approver CHECK (approved_by <> planned_by),
  CONSTRAINT approval_is_whole CHECK (num_nulls(approved_by, approved_at) IN (0, 2)),
  CONSTRAINT nothing_happens_unapproved CHECK (state IN ('planned', 'dropped') OR approved_by IS NOT NULL),
  CONSTRAINT verified_is_dated CHECK ((state = 'verified') = (verified_at IS NOT NULL)),
  CONSTRAINT dropped_only_with_a_reason CHECK (
    (state = 'dropped') = (btrim(coalesce(dropped_reason, '')) <> '' AND num_nulls(dropped_by, dropped_at) = 0))
);
CREATE UNIQUE INDEX one_repair_of_a_case_at_a_time ON repairs (case_id)
  WHERE state IN ('planned', 'approved', 'applying', 'applied');
CREATE INDEX repairs_by_account ON repairs (account, period);
CREATE INDEX repairs_by_bulk ON repairs (bulk_id) WHERE bulk_id IS NOT NULL;

-- What each step left at the biller; null until it is done.
CREATE TABLE repair_steps (
  repair_id text NOT NULL REFERENCES repairs,
  ordinal   integer NOT NULL CHECK (ordinal >= 0),
  action    text NOT NULL,
  effect    text,
  done_at   timestamptz,
  PRIMARY KEY (repair_id, ordinal),
  CONSTRAINT done_is_whole CHECK (num_nulls(effect, done_at) IN (0, 2))
);

-- Forward only; what was planned stays as it was approved; who approves holds the role at that moment.
CREATE FUNCTION check_repair() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moving CONSTANT text[] := ARRAY['state', 'approved_by', 'approved_at', 'applied_by', 'applying_at', 'verified_at',
    'problem', 'dropped_by', 'dropped_at', 'dropped_reason'];
  arrows CONSTANT text[] := ARRAY['planned approved', 'planned dropped', 'approved applying', 'approved dropped',
    'applying applied', 'applied verified'];
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'planned' THEN
      RAISE EXCEPTION 'a repair begins as a plan' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (to_jsonb(OLD) - moving) <> (to_jsonb(NEW) - moving)
    OR (OLD.approved_by IS NOT NULL AND (OLD.approved_by, OLD.approved_at) IS DISTINCT FROM (NEW.approved_by, NEW.approved_at))
  THEN
    RAISE EXCEPTION 'what was planned and approved is not changed: drop the repair and plan another' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state <> NEW.state AND NOT (OLD.state || ' ' || NEW.state) = ANY (arrows) THEN
    RAISE EXCEPTION 'a repair that is % can''t become %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.approved_by IS NULL AND NEW.approved_by IS NOT NULL
    AND NOT EXISTS (SELECT FROM principal_roles WHERE principal_id = NEW.approved_by AND role = 'reviewer') THEN
    RAISE EXCEPTION '% approves without the role reviewer', NEW.approved_by USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER repairs_go_forward BEFORE INSERT OR UPDATE ON repairs FOR EACH ROW EXECUTE FUNCTION check_repair();
CREATE TRIGGER repairs_are_kept BEFORE DELETE ON repairs FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER repair_steps_are_kept BEFORE DELETE ON repair_steps FOR EACH ROW EXECUTE FUNCTION refuse_change();
