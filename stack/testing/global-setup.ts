// One stack for a whole run of the integration tests. Tests find the servers through the TRUEUP_* variables, as the product does, and keep
// apart by fresh databases, topics and key prefixes. The name holds the pid: two runs in one checkout don't meet.
import { startStack } from '../stack.ts';

/** Vitest's hook: workers inherit the variables set here. Returns the teardown. */
export async function setup(): Promise<() => Promise<void>> {
  const stack = await startStack({
    name: `test-${process.pid}`,
    servers: ['kafka', 'clickhouse', 'temporal', 'temporal-test', 'postgres', 'redis', 'stripe'],
  });
  Object.assign(process.env, stack.env, { TRUEUP_CLOCK: 'simulated', TRUEUP_CLICKHOUSE_DATABASE: 'default' });
  return stack.stop;
}
