-- Holds: what keeps usage from being pushed or invoices from being finalized, for one account or (account null) for all.
-- One ends by its expiry in business time or by a release. Writer: holds/book.ts. Readers: the close, before each effect.
CREATE TABLE holds (
  id                  bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  account             text,
  holds_pushes        boolean NOT NULL,
  holds_finalization  boolean NOT NULL CHECK (holds_pushes OR holds_finalization),
  reason              text NOT NULL CHECK (btrim(reason) <> ''),
  owner               text NOT NULL CHECK (owner <> ''),
  held_at             timestamptz NOT NULL,
  expires_at          timestamptz NOT NULL CHECK (expires_at > held_at),
  released_at         timestamptz,
  released_by         text,
  release_reason      text CHECK (btrim(release_reason) <> ''),
  CHECK (num_nulls(released_at, released_by, release_reason) IN (0, 3))
);
CREATE INDEX holds_in_force ON holds (expires_at) WHERE released_at IS NULL;
CREATE TRIGGER holds_are_kept BEFORE DELETE ON holds FOR EACH ROW EXECUTE FUNCTION refuse_change();
