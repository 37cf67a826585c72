-- Revisions of a period's run, and who signed which. Run 1 is the close; a later one supersedes it and nothing is edited.
ALTER TABLE reconcile_runs
  ADD COLUMN revision        integer NOT NULL DEFAULT 1 CHECK (revision > 0),
  ADD COLUMN supersedes      text REFERENCES reconcile_runs,
  ADD COLUMN why             text,
  -- What else a run rests on: price book, rule set, Stripe API version; known when its report is written.
  ADD COLUMN pins            text,
  -- Hashes of the stored evidence of what is compared over the period as a whole.
  ADD COLUMN period_evidence jsonb NOT NULL DEFAULT '[]',
  ADD CONSTRAINT only_the_first_supersedes_nothing CHECK ((revision = 1) = (supersedes IS NULL)),
  ADD CONSTRAINT one_run_per_revision UNIQUE (period, revision),
  ADD CONSTRAINT superseded_once UNIQUE (supersedes);

-- A sign-off is one row from the preparer's signature to its end. It binds what was signed, and the audit entry of each
-- signature. Signed: prepared and not approved. Locked: approved. Neither: it was ended, with a reason.
CREATE TABLE sign_offs (
  id                      bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  period                  text NOT NULL,
  run                     text NOT NULL REFERENCES reconcile_runs,
  report_hash             text NOT NULL,
  evidence_hash           text NOT NULL,
  cases_hash              text NOT NULL,
  prepared_by             text NOT NULL REFERENCES principals,
  prepared_at             timestamptz NOT NULL,
  note                    text,
  prepared_audit_sequence bigint NOT NULL,
  prepared_audit_hash     text NOT NULL,
  approved_by             text REFERENCES principals,
  approved_at             timestamptz,
  approved_audit_sequence bigint,
  approved_audit_hash     text,
  ended_by                text REFERENCES principals,
  ended_at                timestamptz,
  ended_reason            text,
  CONSTRAINT preparer_is_not_reviewer CHECK (approved_by <> prepared_by),
  CONSTRAINT approval_is_whole CHECK (num_nulls(approved_by, approved_at, approved_audit_sequence, approved_audit_hash) IN (0, 4)),
  CONSTRAINT end_is_whole CHECK (num_nulls(ended_by, ended_at, ended_reason) IN (0, 3)),
  CONSTRAINT ended_only_with_a_reason CHECK (btrim(ended_reason) <> '')
);
CREATE UNIQUE INDEX one_sign_off_at_a_time ON sign_offs (period) WHERE ended_at IS NULL;

-- Signatures are given once, by somebody who holds the role at that moment, and not changed afterwards.
CREATE FUNCTION check_signature() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  later CONSTANT text[] := ARRAY['approved_by', 'approved_at', 'approved_audit_sequence', 'approved_audit_hash',
    'ended_by', 'ended_at', 'ended_reason'];
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.approved_by IS NOT NULL OR NEW.ended_by IS NOT NULL THEN
      RAISE EXCEPTION 'a sign-off begins with the signature of its preparer alone' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM principal_roles WHERE principal_id = NEW.prepared_by AND role = 'preparer') THEN
      RAISE EXCEPTION '% signs without the role preparer', NEW.prepared_by USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF OLD.ended_at IS NOT NULL
    OR (to_jsonb(OLD) - later) <> (to_jsonb(NEW) - later)
    OR (OLD.approved_by IS NOT NULL AND
      (OLD.approved_by, OLD.approved_at, OLD.approved_audit_sequence, OLD.approved_audit_hash)
      IS DISTINCT FROM (NEW.approved_by, NEW.approved_at, NEW.approved_audit_sequence, NEW.approved_audit_hash))
  THEN
    RAISE EXCEPTION 'what was signed is not changed: end the sign-off instead' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.approved_by IS NULL AND NEW.approved_by IS NOT NULL
    AND NOT EXISTS (SELECT FROM principal_roles WHERE principal_id = NEW.approved_by AND role = 'reviewer') THEN
    RAISE EXCEPTION '% signs without the role reviewer', NEW.approved_by USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.approved_by IS NOT NULL AND NEW.ended_by IS NOT NULL
    AND NOT EXISTS (SELECT FROM principal_roles WHERE principal_id = NEW.ended_by AND role = 'reopener') THEN
    RAISE EXCEPTION '% reopens without the role reopener', NEW.ended_by USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER sign_offs_are_signed_once BEFORE INSERT OR UPDATE ON sign_offs
  FOR EACH ROW EXECUTE FUNCTION check_signature();
CREATE TRIGGER sign_offs_are_kept BEFORE DELETE ON sign_offs FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The lock itself: whoever forgets to ask is refused here.
CREATE FUNCTION refuse_when_locked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM sign_offs WHERE period = NEW.period AND approved_at IS NOT NULL AND ended_at IS NULL) THEN
    RAISE EXCEPTION 'period % is signed and locked: reopen it first', NEW.period USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER locked_periods_keep_their_runs BEFORE INSERT OR UPDATE ON reconcile_runs
  FOR EACH ROW EXECUTE FUNCTION refuse_when_locked();
CREATE TRIGGER locked_periods_keep_their_cases BEFORE INSERT OR UPDATE ON cases
  FOR EACH ROW EXECUTE FUNCTION refuse_when_locked();
