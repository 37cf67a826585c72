// trueup rejects: find records that can't be counted, look at one, send one again under a case. Coordinates are
// <partition>:<offset> of the usage topic.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fetchArchive } from '../aggregate/retention/state.ts';
import { REJECT_NEXT_STEP, REJECT_REASONS } from '../domain/contracts/reject-reasons.ts';
import { parsePeriod, toIso } from '../domain/period.ts';
import { parseCaseKeys } from '../ingest/case.ts';
import { fetchReject, fetchRejects, type Reject } from '../ingest/rejects.ts';
import { replayReject } from '../ingest/replay.ts';
import { UsageError, type CommandContext, type Run } from './command.ts';
import { parseInstant } from './desk.ts';
import { toJson } from './json.ts';
import { withStores, type Stores } from './stores.ts';

type Desk = { readonly stores: Stores; readonly context: CommandContext };

const ACTIONS: Readonly<Record<string, (args: string[], desk: Desk) => Promise<number>>> = { list, show, replay };

export const run: Run = async ([name = '', ...args], context) => {
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) throw new UsageError('say list, show or replay');
  return withStores(context, async (stores) => action(args, { stores, context }));
};

async function list(args: string[], { stores, context }: Desk): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      account: { type: 'string' },
      source: { type: 'string' },
      reason: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      'happened-from': { type: 'string' },
      'happened-to': { type: 'string' },
      limit: { type: 'string', default: '50' },
      json: { type: 'boolean', default: false },
    },
  });
  const reason = REJECT_REASONS.find((one) => one === values.reason);
  if (values.reason !== undefined && reason === undefined) {
    throw new UsageError(`--reason is one of ${REJECT_REASONS.join(', ')}`);
  }
  const arrived = parseWindow(['--from', values.from], ['--to', values.to]);
  const happened = parseWindow(['--happened-from', values['happened-from']], ['--happened-to', values['happened-to']]);
  const limit = Number(values.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) throw new UsageError('--limit is from 1 to 10000');
  const rejects = await fetchRejects(stores.deps.clickhouse, {
    ...(values.account === undefined ? {} : { account: values.account }),
    ...(values.source === undefined ? {} : { source: values.source }),
    ...(reason === undefined ? {} : { reason }),
    ...(arrived.fromMs === undefined ? {} : { fromMs: arrived.fromMs }),
    ...(arrived.toMs === undefined ? {} : { toMs: arrived.toMs }),
    ...(happened.fromMs === undefined ? {} : { happenedFromMs: happened.fromMs }),
    ...(happened.toMs === undefined ? {} : { happenedToMs: happened.toMs }),
    limit,
  });
  for (const one of rejects) {
    const { payload: _payload, ...rest } = one;
    const origin = `${one.subject || '(no subject)'} ${one.source || '(no source)'}`;
    const line = `${one.partition}:${one.offset}  ${toIso(one.arrivedAtMs)}  ${one.reason}  ${one.field || '-'}  ${origin}`;
    context.print(values.json ? JSON.stringify(rest) : line);
  }
  context.warn(
    rejects.length < limit ? `${rejects.length} found` : `${limit} shown; there may be more: narrow the search`,
  );
  return 0;
}

type Given = readonly [option: string, text: string | undefined];

/** Half-open. */
function parseWindow(from: Given, to: Given): { fromMs: number | undefined; toMs: number | undefined } {
  const [fromMs, toMs] = [from, to].map(([option, text]) =>
    text === undefined ? undefined : parseInstant(option, text),
  );
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) {
    throw new UsageError(`${from[0]} lies before ${to[0]}, which is not part of what is looked for`);
  }
  return { fromMs, toMs };
}

async function show(args: string[], { stores, context }: Desk): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  });
  const reject = await fetchNamed(positionals, stores);
  const replays = await stores.db
    .selectFrom('reject_replays')
    .selectAll()
    .where('topic', '=', stores.topic)
    .where('partition', '=', reject.partition)
    .where('offset', '=', reject.offset)
    .orderBy('id')
    .execute();
  if (values.json) {
    context.print(toJson({ ...reject, payload: reject.payload.toString('base64'), replays }));
    return 0;
  }
  context.print(`${reject.partition}:${reject.offset} of ${stores.topic}, arrived ${toIso(reject.arrivedAtMs)}`);
  context.print(`reason   ${reject.reason}${reject.field === '' ? '' : ` (${reject.field})`}`);
  context.print(`next     ${REJECT_NEXT_STEP[reject.reason]}`);
  context.print(`subject  ${reject.subject}`);
  context.print(`source   ${reject.source}`);
  context.print(`happened ${reject.happenedAtMs === null ? 'not readable' : toIso(reject.happenedAtMs)}`);
  context.print(`key      ${printable(reject.key)}`);
  context.print(
    `bytes    ${reject.payloadBytes}${reject.payload.length < reject.payloadBytes ? ', the head follows' : ''}`,
  );
  for (const one of replays) {
    const place = one.outcome === null ? 'in doubt: replay again' : `${one.stored_partition}:${one.stored_offset}`;
    context.print(
      `replayed ${toIso(one.requested_at.getTime())} case ${one.case_id} by ${one.operator}: ${one.outcome ?? ''} ${place}`,
    );
  }
  context.print(printable(reject.payload.toString('utf8')));
  return 0;
}

async function replay(args: string[], { stores, context }: Desk): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      case: { type: 'string' },
      operator: { type: 'string' },
      why: { type: 'string' },
      record: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { case: caseId, operator, why, record } = values;
  if (caseId === undefined || operator === undefined || why === undefined) {
    throw new UsageError('a replay is on record: give --case, --operator and --why');
  }
  const { TRUEUP_CASE_KEYS: keys } = context.env('TRUEUP_CASE_KEYS');
  const reject = await fetchNamed(positionals, stores);
  const { deps, db, kafka, topic, nowMs } = stores;
  const done = await replayReject(
    {
      clickhouse: deps.clickhouse,
      db,
      kafka,
      topic,
      cases: parseCaseKeys(keys),
      isArchived: async (key) => (await fetchArchive(deps.db, parsePeriod(key))) !== undefined,
    },
    {
      reject,
      caseId,
      operator,
      why,
      nowMs,
      ...(record === undefined ? {} : { corrected: readFileSync(record, 'utf8') }),
    },
  );
  const { event, outcome, partition, offset, before, after } = done;
  if (values.json) {
    context.print(toJson(done));
    return 0;
  }
  context.print(`${outcome} at ${partition}:${offset}: ${event.subject} ${event.source} ${event.id}`);
  context.print(
    `${event.subject} in the hour of ${toIso(event.atMs)}: ${before.events} events of ${before.quantity} before,`,
  );
  context.print(`${after.events} events of ${after.quantity} now; the identity stands once`);
  return 0;
}

async function fetchNamed(positionals: readonly string[], { deps }: Stores): Promise<Reject> {
  const [place = '', ...rest] = positionals;
  const match = /^(\d+):(\d+)$/.exec(place);
  if (match === null || rest.length > 0) throw new UsageError('name one record as <partition>:<offset>');
  return fetchReject(deps.clickhouse, Number(match[1]), match[2] ?? '');
}

/** Whatever a sender wrote must not steer the terminal of who looks at it. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
  return text.replace(control, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
