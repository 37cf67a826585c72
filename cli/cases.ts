// trueup cases: what people do about the differences a run found. Exit code 1 of `list` says that a case is overdue.

import { parseArgs } from 'node:util';
import { parseCurrency, formatMoney } from '../domain/money.ts';
import { parsePeriod, toIso } from '../domain/period.ts';
import {
  actOnCase,
  fetchCase,
  fetchCaseEvidence,
  fetchCases,
  isSettled,
  type Case,
  type CaseEntry,
  type CaseEvent,
} from '../reconcile/books.ts';
import { UsageError, type Run } from './command.ts';
import { actingAs, answer, oneOf, required, toColumns, withDesk, type Desk } from './desk.ts';

type Options = {
  readonly as?: string;
  readonly to?: string;
  readonly text?: string;
  readonly reason?: string;
  readonly evidence?: string;
  readonly period?: string;
  readonly account?: string;
  readonly all: boolean;
  readonly json: boolean;
};

/** The event behind each verb. */
const VERBS: Readonly<Record<string, (options: Options) => CaseEvent>> = {
  assign: ({ to }) => ({ kind: 'assigned', owner: required(to, '--to', 'names who takes it') }),
  investigate: () => ({ kind: 'investigation-started' }),
  comment: ({ text }) => ({ kind: 'commented', text: required(text, '--text', 'is the comment') }),
  attach: ({ evidence, text }) => ({
    kind: 'evidence-linked',
    evidence: required(evidence, '--evidence', 'is a SHA-256 or a link to what was kept'),
    note: required(text, '--text', 'says what it shows'),
  }),
  accept: ({ reason }) => ({ kind: 'accepted', reason: required(reason, '--reason', 'says why it may stay') }),
  close: ({ reason }) => ({ kind: 'closed', reason: required(reason, '--reason', 'says why it is over') }),
  reopen: ({ reason }) => ({ kind: 'reopened', reason: required(reason, '--reason', 'says what is new') }),
};

export const run: Run = async ([action = '', ...args], context) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      as: { type: 'string' },
      to: { type: 'string' },
      text: { type: 'string' },
      reason: { type: 'string' },
      evidence: { type: 'string' },
      period: { type: 'string' },
      account: { type: 'string' },
      all: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const verb = Object.hasOwn(VERBS, action) ? VERBS[action] : undefined;
  if (action !== 'list' && action !== 'show' && verb === undefined) {
    throw new UsageError(`say list, show, ${Object.keys(VERBS).join(', ')}`);
  }
  return withDesk(context, async (desk) => {
    if (action === 'list') return list(desk, values);
    const caseId = oneOf(positionals, 'one case by its id, as trueup cases list prints it');
    if (verb === undefined) return show(desk, caseId, values.json);
    const changed = await actOnCase(desk.db, await actingAs(desk, values.as), {
      caseId,
      event: verb(values),
      atMs: desk.nowMs,
    });
    answer(context, values.json, { value: changed, lines: [describe(changed)] });
    return 0;
  });
};

async function list({ db, nowMs, context }: Desk, { period, account, all, json }: Options): Promise<number> {
  const found = await fetchCases(db, {
    ...(period === undefined ? {} : { period: parsePeriod(period).key }),
    ...(account === undefined ? {} : { account }),
  });
  const shown = all ? found : found.filter(({ state }) => !isSettled(state));
  const overdue = shown.filter((one) => isOverdue(one, nowMs)).length;
  const rows = shown.map((one) => [
    one.caseId,
    one.state,
    one.severity,
    money(one),
    one.owner ?? '-',
    `${toIso(one.dueAtMs).slice(0, 16)}${isOverdue(one, nowMs) ? ' OVERDUE' : ''}`,
    one.reason ?? '',
  ]);
  const heading = ['CASE', 'STATE', 'SEVERITY', 'MONEY', 'OWNER', 'DUE', 'REASON'];
  answer(context, json, { value: shown, lines: toColumns([heading, ...rows]) });
  context.warn(`${shown.length} cases, ${overdue} overdue`);
  return overdue > 0 ? 1 : 0;
}

async function show({ db, context }: Desk, caseId: string, json: boolean): Promise<number> {
  const found = await fetchCase(db, caseId);
  const evidence = await fetchCaseEvidence(db, found);
  const lines = [
    describe(found),
    `  ${found.severity}, due ${toIso(found.dueAtMs)}, opened ${toIso(found.openedAtMs)} by run ${found.firstRun}, last run ${found.lastRun}`,
    ...evidence.map((hash) => `  evidence ${hash}`),
    ...found.history.map(describeEntry),
  ];
  answer(context, json, { value: { ...found, evidence }, lines });
  return 0;
}

function describe(one: Case): string {
  const reason = one.reason === null ? '' : `: ${one.reason}`;
  return `${one.caseId} is ${one.state}${reason} (${money(one)}, owner ${one.owner ?? 'none'})`;
}

function describeEntry({ atMs, actor, event: { kind, ...details } }: CaseEntry): string {
  const says = Object.entries(details).map(([name, value]) => `${name} ${value}`);
  return `  ${toIso(atMs)}  ${actor} ${kind}${says.length === 0 ? '' : `: ${says.join(', ')}`}`;
}

function money({ amountMinor, currency }: Case): string {
  return `${formatMoney(amountMinor, parseCurrency(currency))} ${currency.toUpperCase()}`;
}

function isOverdue({ state, dueAtMs }: Case, nowMs: number): boolean {
  return !isSettled(state) && dueAtMs < nowMs;
}
