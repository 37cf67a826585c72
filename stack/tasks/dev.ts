// npm run dev: the servers and all stages under one supervisor, until Ctrl-C. The data stays for the next time.
import { join } from 'node:path';
import { formatProblem } from '../errors.ts';
import { superviseProcesses } from '../processes.ts';
import { serverNames } from '../servers/table.ts';
import { startStack } from '../stack.ts';
import { checkout } from './steps.ts';

const stages = [
  ['ingest', 'ingest/main.ts'],
  ['http', 'ingest/http/main.ts'],
  ['aggregate', 'aggregate/main.ts'],
  ['integrity', 'aggregate/integrity/main.ts'],
  ['reconcile', 'reconcile/main.ts'],
] as const;

try {
  const stack = await startStack({
    name: 'dev',
    servers: serverNames.filter((name) => name !== 'temporal-test'),
    keepData: true,
  });
  const env = { TRUEUP_CLOCK: 'simulated', ...stack.env };
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
  });
  const processes = superviseProcesses(stages.map(([name, file]) => ({ name, file: join(checkout, file), env })));
  const urls = Object.entries(env).map(([variable, value]) => `  ${variable}=${value}`);
  console.error(`\nAll stages run under this supervisor; Ctrl-C stops them.\n${urls.join('\n')}\n`);
  console.error(`${await stopped}: stopping …`);
  await processes.stop();
  await stack.stop();
} catch (error) {
  console.error(`\n${formatProblem(error)}`);
  process.exitCode = 1;
}
