-- Accounts and what they agreed to pay, by the time from which it holds.
-- Writer: the accounts door only. Readers: ingest (HTTP), reconcile, lifecycle, control-api, through the door.
CREATE TABLE accounts (
  id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  currency   text NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE account_plans (
  account_id     text NOT NULL REFERENCES accounts,
  effective_from timestamptz NOT NULL,
  plan_id        text NOT NULL,
  PRIMARY KEY (account_id, effective_from)
);

-- Tiers are [{"upTo": "<meter units>" | null, "unitAmount": "<minor units per meter unit>"}], decimals as strings.
CREATE TABLE contract_prices (
  account_id     text NOT NULL REFERENCES accounts,
  meter          text NOT NULL,
  effective_from timestamptz NOT NULL,
  tiers          jsonb NOT NULL,
  PRIMARY KEY (account_id, meter, effective_from)
);

CREATE TABLE namespaces (
  name          text PRIMARY KEY,
  account_id    text NOT NULL REFERENCES accounts,
  registered_at timestamptz NOT NULL
);
CREATE INDEX namespaces_by_account ON namespaces (account_id);

-- What Stripe calls our account: one row per kind of object.
CREATE TABLE stripe_ids (
  account_id text NOT NULL REFERENCES accounts,
  kind       text NOT NULL CHECK (kind IN ('customer', 'subscription')),
  stripe_id  text NOT NULL UNIQUE,
  PRIMARY KEY (account_id, kind)
);
