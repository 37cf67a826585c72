-- The archive of a closed period: part of its close record. One row per period that retention has begun to work on.
-- ARCHIVING: files are being written, those named here are whole. VERIFIED: the digest and every adjustment were
-- recomputed from the files. DROPPING: the truth's partition may be gone, only the files are to be trusted. DROPPED.
-- log_ends: where the log ended when the files were begun; later barriers count everything they hold.
-- files: [{name, rows, bytes, sha256}], below folder. Writer: retention. Readers: explain, and all that read the truth.
CREATE TABLE period_archives (
  period      text PRIMARY KEY REFERENCES periods (key),
  state       text NOT NULL CHECK (state IN ('ARCHIVING', 'VERIFIED', 'DROPPING', 'DROPPED')),
  folder      text NOT NULL,
  files       jsonb NOT NULL,
  digest      text,
  log_ends    jsonb,
  archived_at timestamptz NOT NULL,
  verified_at timestamptz,
  dropped_at  timestamptz,
  CHECK (state = 'ARCHIVING' OR (digest IS NOT NULL AND verified_at IS NOT NULL))
);
