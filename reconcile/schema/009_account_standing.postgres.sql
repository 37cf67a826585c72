-- What the comparison of an account comes to, in minor units: the total as agreed (after discounts, credit and tax), what
-- those make of the account's breaks by themselves, and what issued invoices ask for, were paid, and
-- need not have been paid yet. Null until compared.
ALTER TABLE run_accounts
  ADD COLUMN expected_minor  bigint,
  ADD COLUMN following_minor bigint,
  ADD COLUMN due_minor       bigint,
  ADD COLUMN paid_minor      bigint,
  ADD COLUMN waiting_minor   bigint;
