-- Who may send usage over HTTP, and with which keys. Only a key's SHA-256 is here: the key itself was shown once.
-- Writer: accounts/principals.ts. Readers: ingest (HTTP), control-api, through it.
CREATE TABLE principals (
  -- For a source: its CloudEvents source attribute, the only one its keys may write.
  id         text PRIMARY KEY CHECK (id <> ''),
  kind       text NOT NULL CHECK (kind IN ('source')),
  created_at timestamptz NOT NULL
);

CREATE TABLE api_keys (
  -- Public name of the key: stands in logs, in the rate limiter and in `trueup keys`.
  id                text PRIMARY KEY,
  principal_id      text NOT NULL REFERENCES principals,
  hash              bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
  -- The first characters of the key, so that its holder can find it again.
  start             text NOT NULL,
  all_accounts      boolean NOT NULL,
  events_per_second integer NOT NULL CHECK (events_per_second > 0),
  created_at        timestamptz NOT NULL,
  expires_at        timestamptz,
  revoked_at        timestamptz
);
CREATE INDEX api_keys_by_principal ON api_keys (principal_id);

-- The accounts a key may write for, unless it may write for all.
CREATE TABLE api_key_accounts (
  key_id     text NOT NULL REFERENCES api_keys,
  account_id text NOT NULL REFERENCES accounts,
  PRIMARY KEY (key_id, account_id)
);
