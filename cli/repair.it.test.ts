// trueup repair, against a database of its own and the simulated Stripe.

import { afterEach, expect, test } from 'vitest';
import { parseEnvPart } from '../platform/env.ts';
import { insertRepair } from '../reconcile/repairs/book.ts';
import { createRepairWorld, type RepairWorld } from '../reconcile/testing/repair-world.ts';
import type { CommandContext } from './command.ts';
import { run } from './repair.ts';

let world: RepairWorld;
afterEach(async () => world.end());

async function repair(...args: string[]): Promise<{ code: number; says: string }> {
  const source = { ...process.env, ...world.databases };
  const said: string[] = [];
  const context: CommandContext = {
    env: (...names) => parseEnvPart(source, names),
    variables: source,
    stdin: process.stdin,
    print: (text) => said.push(text),
    warn: (text) => said.push(text),
  };
  try {
    return { code: await run(args, context), says: said.join('\n') };
  } catch (error) {
    return { code: 1, says: String(error) };
  }
}

test('a repair is shown with its calls, approved by the hash that was seen, applied and listed', async () => {
  world = await createRepairWorld();
  await world.finalize();
  const plan = await world.plan(
    { code: 'QTY_MISMATCH', amountMinor: -20_000n },
    { kind: 'credit_note', reason: 'counted twice' },
  );
  const id = await insertRepair(world.db, world.pat, { plan, bulkId: null, atMs: world.period.endAtMs });

  const shown = await repair('show', id);
  expect(shown.says).toContain(`1. credit 200.00 usd of ${world.invoice}`);
  expect(shown.says).toContain('charged before 1,000.00 USD, after 800.00 USD');
  const hash = /plan hash ([0-9a-f]{64})/.exec(shown.says)?.[1] ?? '';

  expect(await repair('approve', id, '--plan-hash', hash, '--as', 'pat')).toMatchObject({ code: 1 });
  expect((await repair('approve', id, '--plan-hash', 'other', '--as', 'rae')).says).toContain('look again');
  expect(await repair('approve', id, '--plan-hash', hash, '--as', 'rae')).toMatchObject({ code: 0 });
  const applied = await repair('apply', id, '--as', 'pat');
  expect(applied).toMatchObject({ code: 0, says: expect.stringContaining('verified, 1 of 1 steps done') as string });
  expect((await repair('list', '--period', '2026-10')).says).toMatch(/verified\s+credit_note\s+-200\.00 USD/);
});
