-- A reconciliation run of one period, and where each account of it stands. Writer: the close workflow's activities.
-- Readers: this room's door. Every write is an upsert by business key, so an activity may run again after any death.
-- Times are business time; barriers are end offsets per partition as strings.
CREATE TABLE reconcile_runs (
  run           text PRIMARY KEY,
  period        text NOT NULL,
  opened_at     timestamptz NOT NULL,
  batches       integer NOT NULL,
  barrier       jsonb,
  digest        text,
  closed_events bigint,
  late_barrier  jsonb,
  code_version  text NOT NULL,
  report        text,
  report_hash   text,
  evidence_hash text,
  CHECK ((report IS NULL) = (report_hash IS NULL) AND (report IS NULL) = (evidence_hash IS NULL))
);

-- open: not decided yet; billed: finalized and compared; held: not finalized, with reasons; missing: no invoice exists;
-- failed: a step can't work for this account, with the error code as reason.
CREATE TABLE run_accounts (
  run            text NOT NULL REFERENCES reconcile_runs,
  account        text NOT NULL,
  batch          integer NOT NULL,
  currency       text NOT NULL,
  plan_id        text NOT NULL,
  state          text NOT NULL CHECK (state IN ('open', 'billed', 'held', 'missing', 'failed')),
  reasons        jsonb NOT NULL,
  usage_minor    bigint,
  fee_minor      bigint,
  summaries      jsonb NOT NULL,
  invoices       jsonb NOT NULL,
  invoice_number text,
  invoice_status text,
  invoiced_minor bigint,
  line_minor     bigint,
  evidence       jsonb NOT NULL,
  PRIMARY KEY (run, account)
);
CREATE INDEX run_accounts_by_batch ON run_accounts (run, batch);

CREATE TABLE rated_lines (
  run          text NOT NULL,
  account      text NOT NULL,
  meter        text NOT NULL,
  tier         integer NOT NULL,
  price_id     text NOT NULL,
  quantity     numeric(40) NOT NULL,
  unit_amount  text NOT NULL,
  amount_minor bigint NOT NULL,
  PRIMARY KEY (run, account, meter, tier),
  FOREIGN KEY (run, account) REFERENCES run_accounts
);

-- The hour totals Stripe has been sent, per customer: what is equal need not be sent again. Losing this table is
-- harmless, because a push replaces the hour.
CREATE TABLE meter_pushes (
  customer text NOT NULL,
  meter    text NOT NULL,
  hour     timestamptz NOT NULL,
  quantity numeric(20) NOT NULL,
  PRIMARY KEY (customer, meter, hour)
);
