// The simulated Stripe. Promises: its state is in its data folder and survives kill -9. The product reaches it through Stripe's own SDK.
import { join } from 'node:path';
import { nodeArguments } from '../node-arguments.ts';
import { answersGet } from './http.ts';
import { must, type Server } from './server.ts';

const program = join(import.meta.dirname, '..', '..', 'fixtures', 'stripe', 'main.ts');

export const stripe: Server = {
  name: 'stripe',
  variables: ['TRUEUP_STRIPE_URL', 'TRUEUP_STRIPE_KEY'],
  ports: ['http'],
  readyWithinMs: 60_000,

  install: async () => ({ program }),

  start: async ({ dataDir, ports, installed }) => ({
    command: process.execPath,
    args: [...nodeArguments, must(installed, 'program'), '--port', String(must(ports, 'http')), '--data', dataDir],
  }),

  addresses: (ports) => ({
    TRUEUP_STRIPE_URL: `http://127.0.0.1:${must(ports, 'http')}`,
    TRUEUP_STRIPE_KEY: 'sk_test_trueup',
  }),

  ready: async (addresses) => answersGet(new URL('/_admin/health', must(addresses, 'TRUEUP_STRIPE_URL'))),
};
