-- Tenants that keep a series of their own in metrics whatever they use, because somebody watches them. Which tenants are
-- labelled besides is decided by usage (domain/tiers.ts). The oldest pins come first where there are more than places.
-- pinned_at is business time. Writer: trueup tenants. Readers: every aggregate process, at each look.
CREATE TABLE tenant_pins (
  account   text PRIMARY KEY,
  reason    text NOT NULL CHECK (reason <> ''),
  pinned_by text NOT NULL,
  pinned_at timestamptz NOT NULL
);
