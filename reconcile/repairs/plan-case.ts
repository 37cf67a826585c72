// Gathers what planning the repair of a case needs: the break as its last run found it, own usage and agreement, and what the
// biller holds now. Reads only.

import { TrueupError } from '../../domain/contracts/errors.ts';
import type { ExpectedLine } from '../../domain/expected-invoice.ts';
import { parsePeriod } from '../../domain/period.ts';
import { asOfPeriod, type Deps } from '../activities/deps.ts';
import { fetchSides } from '../activities/sides.ts';
import { fetchCase, type Case } from '../cases/book.ts';
import { hoursOf } from '../compare/push-plan.ts';
import { checkUnlocked } from '../sign-off/book.ts';
import { fetchBreaks } from '../store/breaks.ts';
import { fetchRunAccount } from '../store/runs.ts';
import { planRepair, type Planned, type RepairChoice } from './plan.ts';
import type { ReissuedItem } from './steps.ts';

/** A dry run: nothing is stored. Throws `rejected` CASE_UNKNOWN or PERIOD_LOCKED, and what the doors and the biller throw. */
export async function planCase(deps: Deps, caseId: string, choice: RepairChoice): Promise<Planned> {
  const of = await fetchCase(deps.db, caseId);
  const period = parsePeriod(of.period);
  await checkUnlocked(deps.db, period.key);
  const breaks = (await fetchBreaks(deps.db, of.lastRun)).filter(({ account }) => account === of.account);
  const found = breaks.find(
    ({ code, meter, currency }) => code === of.code && meter === of.meter && currency === of.currency,
  );
  if (found === undefined) throw vanished(of);
  const account = await deps.accounts.fetchAccount(of.account, asOfPeriod(period));
  const row = await fetchRunAccount(deps.db, { run: of.lastRun, account: of.account });
  const { own, biller, at } = await fetchSides(deps, account, { period, row });
  const closed = await deps.usage.fetchClosedHours(period, account.id);
  return planRepair({
    correction: { ...found, caseId },
    choice,
    period,
    subscription: own.subscription,
    billing: biller.billing,
    ownHours: hoursOf(closed.filter(({ meter }) => meter === found.meter)),
    expected: toItems(own.expected.lines),
    otherBreaks: breaks.filter((one) => one !== found && one.status === 'open').length,
    nowMs: at.nowMs,
  });
}

/** One item per meter and kind of line, after discounts: an issued item takes no coupon. */
function toItems(lines: readonly ExpectedLine[]): ReissuedItem[] {
  const groups = Map.groupBy(lines, ({ kind, meter }) => `${kind}${meter === null ? '' : ` of ${meter}`}`);
  return [...groups].map(([name, of]) => ({
    meter: of[0]?.meter ?? null,
    amountMinor: of.reduce((sum, line) => sum + line.amountMinor - line.discountMinor, 0n).toString(),
    description: name.replaceAll('_', ' '),
  }));
}

function vanished({ caseId, lastRun }: Case): TrueupError {
  return new TrueupError({
    kind: 'conflict',
    code: 'CASE_STATE',
    message: `run ${lastRun} did not find what case ${caseId} is about`,
    next: 'there is nothing to repair',
  });
}
