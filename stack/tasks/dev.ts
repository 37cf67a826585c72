// npm run dev: the servers and all stages under one supervisor, until Ctrl-C. The data stays for the next time.
// Every stage serves metrics and health on a port of its own, Prometheus scrapes them all, and alerts without a receiver are printed here.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatProblem } from '../errors.ts';
import { reservePort } from '../ports.ts';
import { superviseProcesses } from '../processes.ts';
import { createTopics } from '../servers/kafka.ts';
import { must } from '../servers/server.ts';
import { serverNames } from '../servers/table.ts';
import { startStack } from '../stack.ts';
import { stageFiles } from '../stages.ts';
import { giveOpsPorts, writeTargets } from '../targets.ts';
import { writeVariables } from '../variables.ts';
import { startPager } from './pager.ts';
import { checkout } from './steps.ts';

/** What the user's environment says, else what development takes. */
function given(variable: string, otherwise: string): string {
  const value = process.env[variable];
  return value === undefined || value === '' ? otherwise : value;
}

/** The HTTP door's port: the user's, else its usual one, else a free one when another process listens there. */
async function chooseDoorPort(): Promise<string> {
  const chosen = given('TRUEUP_HTTP_PORT', '');
  if (chosen !== '') return chosen;
  const { port, release } = await reservePort(8080);
  await release();
  return `${port}`;
}

try {
  const pager = await startPager(console.error);
  const stack = await startStack({
    name: 'dev',
    servers: serverNames.filter((name) => name !== 'temporal-test'),
    keepData: true,
    settings: { alertmanager: { otherwise: pager.url } },
  });
  const env = {
    ...stack.env,
    // Nothing moves a simulated clock here, and nothing here may reach real money.
    TRUEUP_CLOCK: 'wall',
    TRUEUP_STRIPE_LIVE: 'no',
    TRUEUP_TOPIC: given('TRUEUP_TOPIC', 'usage.events.v1'),
    TRUEUP_MANIFEST_TOPIC: given('TRUEUP_MANIFEST_TOPIC', 'usage.manifests.v1'),
    TRUEUP_HTTP_HOST: given('TRUEUP_HTTP_HOST', '127.0.0.1'),
    TRUEUP_HTTP_PORT: await chooseDoorPort(),
  };
  await createTopics(must(stack.env, 'TRUEUP_KAFKA_BROKERS'), [
    { topic: env.TRUEUP_TOPIC, partitions: 8 },
    { topic: env.TRUEUP_MANIFEST_TOPIC, partitions: 1 },
  ]);
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
  });
  const specs = Object.entries(stageFiles).map(([name, file]) => ({ name, file: join(checkout, file), env }));
  const { processes: placed, targets } = await giveOpsPorts(specs.filter(({ file }) => existsSync(file)));
  const processes = superviseProcesses(placed);
  writeTargets(stack, targets);
  writeVariables(stack, env);
  const variables = Object.entries(env).map(([variable, value]) => `  ${variable}=${value}`);
  const metrics = targets.map(({ address, labels }) => `  ${labels.process.padEnd(9)} http://${address}/metrics`);
  const door = `http://${env.TRUEUP_HTTP_HOST}:${env.TRUEUP_HTTP_PORT}/v1/events`;
  console.error(
    `\nAll stages run under this supervisor; Ctrl-C stops them.\n${variables.join('\n')}\n\nMetrics, also /livez and /readyz\n${metrics.join('\n')}\n\nSend usage to ${door}\n`,
  );
  console.error(`${await stopped}: stopping …`);
  await processes.stop();
  await stack.stop();
  pager.close();
} catch (error) {
  console.error(`\n${formatProblem(error)}`);
  process.exitCode = 1;
}
