// trueup holds: what keeps usage from being pushed or invoices from being finalized, for one account or for all, until a
// time of the business clock. Exit code 1 of `list` says that something is held.

import { parseArgs } from 'node:util';
import { toIso } from '../domain/period.ts';
import { addHold, computeHoldState, fetchAllHolds, releaseHold, type Hold, type HoldKind } from '../reconcile/books.ts';
import { UsageError, type Run } from './command.ts';
import {
  actingAs,
  answer,
  oneOf,
  parseInstant,
  required,
  requireRegistered,
  toColumns,
  withDesk,
  type Desk,
} from './desk.ts';

type Options = {
  readonly as?: string;
  readonly account?: string;
  readonly global: boolean;
  readonly pushes: boolean;
  readonly finalization: boolean;
  readonly reason?: string;
  readonly until?: string;
  readonly all: boolean;
  readonly json: boolean;
};

export const run: Run = async ([action, ...args], context) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      as: { type: 'string' },
      account: { type: 'string' },
      global: { type: 'boolean', default: false },
      pushes: { type: 'boolean', default: false },
      finalization: { type: 'boolean', default: false },
      reason: { type: 'string' },
      until: { type: 'string' },
      all: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  return withDesk(context, async (desk) => {
    switch (action) {
      case 'add':
        return say(desk, await add(desk, values), values.json);
      case 'release': {
        const id = oneOf(positionals, 'one hold by its number');
        const reason = required(values.reason, '--reason', 'says why nothing is held any more');
        await releaseHold(desk.db, await actingAs(desk, values.as), { id, reason, atMs: desk.nowMs });
        context.warn(`hold ${id} is released: the next close or push takes up what it held`);
        return say(desk, id, values.json);
      }
      case 'list':
        return list(desk, values);
      default:
        throw new UsageError('say add, release or list');
    }
  });
};

/** Without a choice it holds both pushes and finalization. */
async function add(desk: Desk, options: Options): Promise<string> {
  const { account, global, pushes, finalization } = options;
  if ((account === undefined) !== global) throw new UsageError('say --account <account> or --global');
  const reason = required(options.reason, '--reason', 'says why');
  const expiresAtMs = parseInstant('--until', required(options.until, '--until', 'is when it ends by itself'));
  if (account !== undefined) await requireRegistered(desk, account);
  const kinds: HoldKind[] = [
    ...(pushes || !finalization ? (['pushes'] as const) : []),
    ...(finalization || !pushes ? (['finalization'] as const) : []),
  ];
  const hold = { account: account ?? null, kinds, reason, atMs: desk.nowMs, expiresAtMs };
  return addHold(desk.db, await actingAs(desk, options.as), hold);
}

/** The id alone, so that a script can keep it. */
function say({ context }: Desk, id: string, json: boolean): number {
  answer(context, json, { value: { id }, lines: [id] });
  return 0;
}

async function list({ db, nowMs, context }: Desk, { all, json }: Options): Promise<number> {
  const holds = (await fetchAllHolds(db)).map((hold) => ({ ...hold, state: computeHoldState(hold, nowMs) }));
  const shown = all ? holds : holds.filter(({ state }) => state === 'in force');
  const heading = ['HOLD', 'ACCOUNT', 'HOLDS', 'STATE', 'OWNER', 'UNTIL', 'REASON'];
  answer(context, json, { value: shown, lines: toColumns([heading, ...shown.map(toRow)]) });
  return holds.some(({ state }) => state === 'in force') ? 1 : 0;
}

function toRow(hold: Hold & { readonly state: string }): string[] {
  const { id, account, kinds, state, owner, expiresAtMs, reason, released } = hold;
  const ended = released === null ? '' : ` (released by ${released.by}: ${released.reason})`;
  return [id, account ?? 'all', kinds.join('+'), state, owner, toIso(expiresAtMs), `${reason}${ended}`];
}
