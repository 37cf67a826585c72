// The comparison of an account as part of a close: both sides are read and stored as evidence, then compared, and the
// account's breaks replaced as a whole. It may be repeated on another worker at any time.

import { invariant } from '../../domain/contracts/errors.ts';
import { WAITS } from '../../domain/contracts/waits.ts';
import type { AccountInput } from '../activity-types.ts';
import { toBreaks } from '../compare/break.ts';
import { toSidesRecord } from '../compare/sides-record.ts';
import { computeAccountResult } from '../runs/account-result.ts';
import { replaceAccountBreaks } from '../store/breaks.ts';
import { insertEvidences, updateRunAccount } from '../store/runs.ts';
import { fetchBilledAccount, periodOfRun, rowsOf, type Deps } from './deps.ts';
import { fetchSides } from './sides.ts';

export async function compareBilledAccount(deps: Deps, input: AccountInput): Promise<void> {
  const account = await fetchBilledAccount(deps, input);
  const row = await rowsOf(deps).fetchRunAccount(input);
  invariant(row.rated !== null, 'I6', `account ${account.id} is compared before it was rated`);
  const period = periodOfRun(input);
  const sides = await fetchSides(deps, account, { period, row });
  const { state, invoice, compared, bill, findings } = computeAccountResult(sides);
  const stored = await insertEvidences(deps.db, [
    { kind: 'account-sides', content: toSidesRecord(sides) },
    ...(bill === null ? [] : [{ kind: 'stripe-invoice', content: bill.snapshot }]),
  ]);
  const evidence = [...row.evidence.slice(0, 1), ...stored];
  const isDraft = (id: string) => sides.biller.billing.invoices.some((one) => one.id === id && one.status === 'draft');
  await updateRunAccount(deps.db, input, {
    state,
    invoices: JSON.stringify(row.invoices.map(({ id }) => ({ id, draft: isDraft(id) }))),
    invoice_number: invoice?.number ?? null,
    invoice_status: invoice?.status ?? null,
    invoiced_minor: invoice?.totalMinor.toString() ?? null,
    line_minor: invoice?.linesMinor.toString() ?? null,
    expected_minor: compared.expectedMinor.toString(),
    following_minor: compared.followingMinor.toString(),
    due_minor: compared.dueMinor.toString(),
    paid_minor: compared.paidMinor.toString(),
    waiting_minor: compared.waitingMinor.toString(),
    evidence: JSON.stringify(evidence),
  });
  const brokeAtMs = period.endAtMs + WAITS.graceMs;
  const breaks = toBreaks(findings, brokeAtMs, evidence);
  await replaceAccountBreaks(deps.db, input, breaks);
}
