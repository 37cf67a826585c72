// trueup sign-off: two signatures of two persons, and the way back. Exit code 1 of `status` says that a signature no longer
// holds for what stands.

import { parseArgs } from 'node:util';
import { parsePeriod, toIso } from '../domain/period.ts';
import {
  approveSignOff,
  fetchSignOffStatus,
  prepareSignOff,
  reopenPeriod,
  type SignOffStatus,
} from '../reconcile/books.ts';
import { UsageError, type Run } from './command.ts';
import { actingAs, answer, oneOf, required, withDesk } from './desk.ts';

export const run: Run = async ([action, ...args], context) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      as: { type: 'string' },
      despite: { type: 'string' },
      reason: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const period = parsePeriod(oneOf(positionals, 'one period, such as 2026-10')).key;
  return withDesk(context, async (desk) => {
    const { db, nowMs: atMs } = desk;
    switch (action) {
      case 'prepare':
        await prepareSignOff(db, await actingAs(desk, values.as), { period, atMs, despite: values.despite ?? null });
        break;
      case 'approve':
        await approveSignOff(db, await actingAs(desk, values.as), { period, atMs });
        break;
      case 'reopen': {
        const reason = required(values.reason, '--reason', 'says why the period is opened again');
        await reopenPeriod(db, await actingAs(desk, values.as), { period, atMs, reason });
        break;
      }
      case 'status':
        break;
      default:
        throw new UsageError('say prepare, approve, reopen or status');
    }
    const status = await fetchSignOffStatus(db, period);
    answer(context, values.json, { value: status, lines: describe(status) });
    return status.deviations.length === 0 ? 0 : 1;
  });
};

function describe({ period, state, signOff, deviations, standing }: SignOffStatus): string[] {
  const unsettled = standing.unsettledCases.length;
  return [
    `${period} is ${state}${deviations.length === 0 ? '' : ', but its signature does not hold:'}`,
    ...deviations.map((why) => `  ${why}`),
    ...(signOff === null
      ? [`  run ${standing.run ?? 'none'}, ${unsettled} unsettled cases`]
      : [
          `  prepared  ${signOff.preparedBy}, ${toIso(signOff.preparedAtMs)}, audit entry ${signOff.preparedEntry.sequence}`,
          ...(signOff.note === null ? [] : [`            despite what is unsettled: ${signOff.note}`]),
          ...(signOff.approved === null
            ? ['  approved  by nobody yet']
            : [
                `  approved  ${signOff.approved.by}, ${toIso(signOff.approved.atMs)}, audit entry ${signOff.approved.entry.sequence}`,
              ]),
          `  run       ${signOff.run}`,
          `  report    ${signOff.reportHash}`,
          `  evidence  ${signOff.evidenceHash}`,
          `  cases     ${signOff.casesHash}`,
        ]),
  ];
}
