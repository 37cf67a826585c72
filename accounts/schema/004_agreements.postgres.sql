-- What an account agreed to beyond plan and contract prices. Each row holds from its effective_from until the next one of the
-- same account; amounts are minor units of the account's currency. Rows are added, never changed.
-- Writer: the accounts door only. Readers: as for 001, through the door.

-- Replaces the plan's fee.
CREATE TABLE contract_fees (
  account_id     text NOT NULL REFERENCES accounts,
  effective_from timestamptz NOT NULL,
  minimum_minor  numeric(38, 0) NOT NULL CHECK (minimum_minor >= 0),
  basis_points   integer NOT NULL CHECK (basis_points >= 0),
  PRIMARY KEY (account_id, effective_from)
);

-- An account without a row is active from its creation.
CREATE TABLE account_standings (
  account_id     text NOT NULL REFERENCES accounts,
  effective_from timestamptz NOT NULL,
  standing       text NOT NULL CHECK (standing IN ('active', 'trialing', 'paused', 'canceled')),
  PRIMARY KEY (account_id, effective_from)
);

-- A percentage or an amount off each invoice; a row with neither ends the discount.
CREATE TABLE account_discounts (
  account_id     text NOT NULL REFERENCES accounts,
  effective_from timestamptz NOT NULL,
  basis_points   integer CHECK (basis_points BETWEEN 0 AND 10000),
  amount_minor   numeric(38, 0) CHECK (amount_minor >= 0),
  PRIMARY KEY (account_id, effective_from),
  CHECK (num_nonnulls(basis_points, amount_minor) <= 1)
);

-- One exclusive rate; null ends it.
CREATE TABLE account_taxes (
  account_id     text NOT NULL REFERENCES accounts,
  effective_from timestamptz NOT NULL,
  basis_points   integer CHECK (basis_points >= 0),
  PRIMARY KEY (account_id, effective_from)
);

-- The least that a whole month comes to; null ends it.
CREATE TABLE account_commitments (
  account_id     text NOT NULL REFERENCES accounts,
  effective_from timestamptz NOT NULL,
  minimum_minor  numeric(38, 0) CHECK (minimum_minor >= 0),
  PRIMARY KEY (account_id, effective_from)
);

-- Prepaid credit for metered charges.
CREATE TABLE credit_grants (
  account_id   text NOT NULL REFERENCES accounts,
  id           text NOT NULL CHECK (id <> ''),
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor > 0),
  priority     integer NOT NULL CHECK (priority BETWEEN 0 AND 100),
  effective_at timestamptz NOT NULL,
  expires_at   timestamptz CHECK (expires_at > effective_at),
  PRIMARY KEY (account_id, id)
);

-- What the invoice of a period took from a grant: absolute, so that billing a period again replaces it.
CREATE TABLE credit_uses (
  account_id   text NOT NULL,
  grant_id     text NOT NULL,
  period       text NOT NULL CHECK (period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  amount_minor numeric(38, 0) NOT NULL CHECK (amount_minor > 0),
  PRIMARY KEY (account_id, grant_id, period),
  FOREIGN KEY (account_id, grant_id) REFERENCES credit_grants
);
