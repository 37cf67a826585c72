-- What a closed period turned out to be besides its closed total. Adjustment k = recompute(period as of barrier k)
-- minus closed minus all adjustments before k, per namespace and meter, posted to the period that was open then.
-- A run is one look at the log: its barrier lies at or behind every earlier one's. Zero deltas have no row.
-- Writer: recordAdjustments, one transaction per run, holding the period's row. Readers: the usage door.
CREATE TABLE adjustment_runs (
  period      text NOT NULL REFERENCES periods (key),
  k           integer NOT NULL CHECK (k > 0),
  barrier     jsonb NOT NULL,
  posted_to   text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (period, k)
);

CREATE TABLE period_adjustments (
  period    text NOT NULL,
  k         integer NOT NULL,
  account   text NOT NULL,
  namespace text NOT NULL,
  meter     text NOT NULL,
  quantity  numeric NOT NULL CHECK (quantity <> 0),
  PRIMARY KEY (period, k, namespace, meter),
  FOREIGN KEY (period, k) REFERENCES adjustment_runs (period, k)
);
