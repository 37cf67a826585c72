// The servers that need one question only: Redis, Temporal, Stripe. Reads only.

import { openRedisInspection } from '../../../platform/redis-info.ts';
import { openTemporalInspection } from '../../../platform/temporal-info.ts';
import { TrueupError } from '../../../domain/contracts/errors.ts';
import type { CommandContext } from '../../command.ts';
import { judgeFact, learn } from '../fact.ts';
import { ok, problem, type Area, type Finding } from '../finding.ts';
import { isLive } from '../judge/configuration.ts';
import { judgeRedis } from '../judge/redis.ts';
import { judgeStripe } from '../judge/stripe.ts';
import { judgeVersion } from '../judge/versions.ts';
import { placeOf } from '../secrets.ts';
import { examine } from '../server.ts';

export async function examineRedis(context: CommandContext): Promise<Area> {
  return examine({
    area: 'redis',
    variable: 'TRUEUP_REDIS_URL',
    open: () => {
      const url = context.env('TRUEUP_REDIS_URL').TRUEUP_REDIS_URL;
      return { url, inspection: openRedisInspection(url) };
    },
    close: async ({ inspection }) => Promise.resolve(inspection.close()),
    place: ({ url }) => placeOf(url),
    greet: async ({ inspection }) => inspection.fetchInfo(),
    checks: ['version', 'maxmemory-policy', 'appendonly'],
    look: async ({ inspection }) => judgeFact('version', await learn(async () => inspection.fetchInfo()), judgeRedis),
  });
}

export async function examineTemporal(context: CommandContext): Promise<Area> {
  return examine({
    area: 'temporal',
    variable: 'TRUEUP_TEMPORAL_ADDRESS',
    open: () => {
      const env = context.env('TRUEUP_TEMPORAL_ADDRESS', 'TRUEUP_TEMPORAL_NAMESPACE');
      const options = { address: env.TRUEUP_TEMPORAL_ADDRESS, namespace: env.TRUEUP_TEMPORAL_NAMESPACE };
      return { ...options, inspection: openTemporalInspection(options) };
    },
    close: async ({ inspection }) => inspection.close(),
    place: ({ address }) => address,
    greet: async ({ inspection }) => inspection.fetchServerVersion(),
    checks: ['version', 'namespace'],
    look: async ({ namespace, inspection }) => {
      const [version, exists] = await Promise.all([
        learn(async () => inspection.fetchServerVersion()),
        learn(async () => inspection.hasNamespace()),
      ]);
      return [
        ...judgeFact('version', version, (found) => [judgeVersion('Temporal', found)]),
        ...judgeFact('namespace', exists, (found) => [judgeNamespace(namespace, found)]),
      ];
    },
  });
}

function judgeNamespace(namespace: string, exists: boolean): Finding {
  if (exists) return ok('namespace', `${namespace} is there`);
  const next = 'create it (temporal operator namespace create), or correct TRUEUP_TEMPORAL_NAMESPACE';
  return problem('namespace', `${namespace} is not there, or not for us`, next);
}

export async function examineStripe(context: CommandContext): Promise<Area> {
  // Loaded here only: its SDK is large.
  const { probeStripe } = await import('../../../reconcile/door.ts');
  return examine({
    area: 'stripe',
    variable: 'TRUEUP_STRIPE_URL',
    open: () => {
      const { TRUEUP_STRIPE_KEY: key, TRUEUP_STRIPE_URL: url } = context.env('TRUEUP_STRIPE_KEY', 'TRUEUP_STRIPE_URL');
      return { url, facts: learn(async () => probeStripe({ key, url })) };
    },
    close: async () => Promise.resolve(),
    place: ({ url }) => (url === undefined ? 'Stripe' : placeOf(url)),
    greet: async (opened) => {
      const facts = await opened.facts;
      // An answer that refuses the key is an answer; what it means is judged below.
      if (!facts.known && isAway(facts.error)) throw facts.error;
    },
    checks: ['key mode', 'API version', 'meters'],
    look: async ({ facts }) => judgeFact('key', await facts, (found) => judgeStripe(found, isLive(context.variables))),
  });
}

function isAway(error: Error): boolean {
  return !(error instanceof TrueupError) || error.retryable;
}
