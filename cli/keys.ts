// trueup keys: the API keys with which sources send usage over HTTP. A key's text is printed once, alone on stdout, so that
// it can go straight into a secret store; nothing else ever shows it again.

import { parseArgs } from 'node:util';
import {
  createPrincipals,
  type ApiKey,
  type KeyCreation,
  type PrincipalTables,
  type Principals,
} from '../accounts/principals.ts';
import { INTAKE_LIMITS } from '../domain/contracts/intake.ts';
import { HOUR_MS, toIso } from '../domain/period.ts';
import { createPostgres } from '../platform/postgres.ts';
import { UsageError, type CommandContext, type Run } from './command.ts';
import { answer, oneOf, parseInstant, toColumns } from './desk.ts';

const OVERLAP_HOURS = '24';

type Desk = {
  readonly principals: Principals;
  readonly context: CommandContext;
  readonly env: 'test' | 'live';
  readonly nowMs: number;
};

const ACTIONS: Readonly<Record<string, (args: string[], desk: Desk) => Promise<number>>> = {
  create: createKey,
  rotate: rotateKey,
  list: listKeys,
  revoke: revokeKey,
};

export const run: Run = async ([action = '', ...args], context) => {
  const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (act === undefined) throw new UsageError('say create, rotate, list or revoke');
  const { TRUEUP_POSTGRES_URL: url, TRUEUP_CLOCK: clock } = context.env('TRUEUP_POSTGRES_URL', 'TRUEUP_CLOCK');
  const db = createPostgres<PrincipalTables>(url, 1);
  try {
    // Keys live in machine time, whatever the business clock says.
    const desk = {
      principals: createPrincipals(db),
      context,
      env: clock === 'wall' ? 'live' : 'test',
      nowMs: Date.now(),
    } as const;
    return await act(args, desk);
  } finally {
    await db.destroy();
  }
};

async function createKey(args: string[], { principals, context, env, nowMs }: Desk): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      source: { type: 'string' },
      accounts: { type: 'string' },
      expires: { type: 'string' },
      rate: { type: 'string' },
    },
  });
  const { source, accounts } = values;
  if (source === undefined || source === '')
    throw new UsageError('--source names the CloudEvents source the key writes for');
  if (accounts === undefined || accounts === '') throw new UsageError('--accounts lists accounts, or is "*" for all');
  const expiresAtMs = values.expires === undefined ? undefined : parseInstant('--expires', values.expires);
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs) throw new UsageError('--expires lies in the past');
  const creation = await principals.createKey({
    env,
    source,
    accounts: accounts === '*' ? 'all' : accounts.split(',').map((account) => account.trim()),
    eventsPerSecond: values.rate === undefined ? INTAKE_LIMITS.eventsPerSecond : parseCount('--rate', values.rate),
    nowMs,
    expiresAtMs,
  });
  return report(creation, context);
}

async function rotateKey(args: string[], { principals, context, env, nowMs }: Desk): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { 'overlap-hours': { type: 'string', default: OVERLAP_HOURS } },
  });
  const id = oneOf(positionals, 'one key by its id');
  const oldExpiresAtMs = nowMs + parseCount('--overlap-hours', values['overlap-hours'], 0) * HOUR_MS;
  const creation = await principals.rotateKey(id, oldExpiresAtMs, { env, nowMs });
  if (creation === undefined) {
    context.warn(`there is no valid key ${id}: see trueup keys list`);
    return 1;
  }
  context.warn(`${id} stops working at ${toIso(oldExpiresAtMs)} at the latest`);
  return report(creation, context);
}

async function listKeys(args: string[], { principals, context, nowMs }: Desk): Promise<number> {
  const { values } = parseArgs({ args, options: { json: { type: 'boolean', default: false } } });
  const keys = await principals.fetchKeys();
  const rows = keys.map((key) => [
    key.id,
    `${key.start}…`,
    key.source,
    key.accounts === 'all' ? '*' : key.accounts.join(','),
    `${key.eventsPerSecond}/s`,
    stateOf(key, nowMs),
  ]);
  const heading = ['KEY', 'START', 'SOURCE', 'ACCOUNTS', 'RATE', 'STATE'];
  answer(context, values.json, { value: keys, lines: toColumns([heading, ...rows]) });
  return 0;
}

async function revokeKey(args: string[], { principals, context, nowMs }: Desk): Promise<number> {
  const id = oneOf(parseArgs({ args, allowPositionals: true, options: {} }).positionals, 'one key by its id');
  if (!(await principals.revokeKey(id, nowMs))) {
    context.warn(`there is no key ${id}: see trueup keys list`);
    return 1;
  }
  context.warn(`${id} is revoked; the HTTP door refuses it within 10 seconds`);
  return 0;
}

function report(creation: KeyCreation, context: CommandContext): number {
  if (!creation.created) {
    context.warn(
      `not registered: ${creation.unknownAccounts.join(', ')}; a key covers registered accounts, or all with "*"`,
    );
    return 1;
  }
  context.warn(`${creation.id}: keep the key below, it is not shown again`);
  context.print(creation.text);
  return 0;
}

function stateOf({ expiresAtMs, revokedAtMs }: ApiKey, nowMs: number): string {
  if (revokedAtMs !== undefined) return `revoked ${toIso(revokedAtMs)}`;
  if (expiresAtMs === undefined) return 'valid';
  return `${expiresAtMs <= nowMs ? 'expired' : 'valid until'} ${toIso(expiresAtMs)}`;
}

function parseCount(option: string, text: string, min = 1): number {
  if (!/^\d{1,6}$/.test(text) || Number(text) < min) throw new UsageError(`${option} is a whole number from ${min}`);
  return Number(text);
}
