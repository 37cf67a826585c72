-- Who did what to the books, as one chain: each entry's hash covers its own content and the hash before it. Entries are
-- appended under a lock in the transaction of the change they record, and never touched again: triggers and privileges
-- refuse it, and the verifier finds what a superuser does all the same. Text is kept as it was hashed.
-- Writer: audit-log/log.ts.
CREATE TABLE audit_log (
  sequence  bigint PRIMARY KEY CHECK (sequence > 0),
  at        text NOT NULL,
  actor     text NOT NULL CHECK (actor <> ''),
  action    text NOT NULL CHECK (action <> ''),
  subject   text NOT NULL,
  details   text NOT NULL,
  prev_hash text NOT NULL,
  hash      text NOT NULL UNIQUE
);

-- Where the chain ends: a tail that is cut off leaves this behind.
CREATE TABLE audit_head (
  id       integer PRIMARY KEY CHECK (id = 1),
  sequence bigint NOT NULL,
  hash     text NOT NULL
);
INSERT INTO audit_head VALUES (1, 0, repeat('0', 64));

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE ON audit_log
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_log_is_kept BEFORE TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_head_is_kept BEFORE DELETE ON audit_head
  FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Entries that don't continue the chain are refused at once, whoever writes them.
CREATE FUNCTION extend_audit_chain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM (
      SELECT sequence, prev_hash, lag(sequence) OVER chain AS before, lag(hash) OVER chain AS before_hash
      FROM (SELECT sequence, prev_hash, hash FROM added UNION ALL SELECT sequence, '', hash FROM audit_head) AS known
      WINDOW chain AS (ORDER BY sequence)
    ) AS links
    WHERE before IS NOT NULL AND (sequence <> before + 1 OR prev_hash <> before_hash)
  ) OR EXISTS (SELECT FROM added WHERE sequence <= (SELECT sequence FROM audit_head)) THEN
    RAISE EXCEPTION 'an audit entry does not continue the chain' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  UPDATE audit_head SET (sequence, hash) = (SELECT sequence, hash FROM added ORDER BY sequence DESC LIMIT 1)
    WHERE EXISTS (SELECT FROM added);
  RETURN NULL;
END $$;
CREATE TRIGGER audit_log_extends_chain AFTER INSERT ON audit_log
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION extend_audit_chain();

REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM PUBLIC, CURRENT_USER;
REVOKE DELETE, TRUNCATE ON audit_head FROM PUBLIC, CURRENT_USER;
