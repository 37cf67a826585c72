import { expect, test } from 'vitest';
import { giveOpsPorts } from './targets.ts';

test('every process gets a port of its own, and Prometheus is told the same one', async () => {
  const specs = ['ingest', 'reconcile'].map((name) => ({ name, file: `${name}.ts`, env: { KEPT: 'yes' } }));
  const { processes, targets } = await giveOpsPorts(specs);
  const ports = processes.map(({ env }) => env?.['TRUEUP_OPS_PORT'] ?? '');
  expect(new Set(ports).size).toBe(2);
  expect(processes.map(({ env }) => env?.['KEPT'])).toEqual(['yes', 'yes']);
  expect(targets).toEqual([
    { address: `127.0.0.1:${ports[0]}`, labels: { process: 'ingest' } },
    { address: `127.0.0.1:${ports[1]}`, labels: { process: 'reconcile' } },
  ]);
});
