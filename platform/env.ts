// The environment, read and checked once per process. Every problem is listed at once, so that one run of a
// misconfigured process is enough to mend its configuration. Nobody else reads process.env.

import { z } from 'zod';
import { TrueupError } from '../domain/contracts/errors.ts';
import { MANIFEST_TOPIC, USAGE_TOPIC } from '../domain/contracts/topics.ts';

const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    error: `must be a URL starting with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });

const hostPorts = z.string().regex(/^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/, { error: 'must be host:port[,host:port…]' });

const variables = z.object({
  TRUEUP_KAFKA_BROKERS: hostPorts,
  TRUEUP_CLICKHOUSE_URL: url('http:', 'https:'),
  TRUEUP_CLICKHOUSE_DATABASE: z
    .string()
    .regex(/^[a-z][a-z0-9_]*$/, { error: 'must be lower-case letters, digits and underscores' })
    .default('trueup'),
  TRUEUP_CLICKHOUSE_CLUSTER: z
    .string()
    .regex(/^\w+$/, { error: 'must be the name of a ClickHouse cluster' })
    .optional(),
  TRUEUP_POSTGRES_URL: url('postgres:', 'postgresql:'),
  TRUEUP_REDIS_URL: url('redis:', 'rediss:'),
  TRUEUP_TEMPORAL_ADDRESS: hostPorts,
  TRUEUP_TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  TRUEUP_STRIPE_URL: url('http:', 'https:').optional(),
  TRUEUP_STRIPE_KEY: z.string().regex(/^(sk|rk)_(test|live)_/, { error: 'must be a Stripe secret or restricted key' }),
  TRUEUP_STRIPE_LIVE: z.enum(['yes', 'no']).default('no'),
  TRUEUP_CLOCK: z.enum(['simulated', 'wall']).default('wall'),
  TRUEUP_TOPIC: z.string().min(1).default(USAGE_TOPIC),
  TRUEUP_MANIFEST_TOPIC: z.string().min(1).default(MANIFEST_TOPIC),
  TRUEUP_CASE_KEYS: z.string().optional(),
  TRUEUP_HTTP_HOST: z.string().min(1).default('127.0.0.1'),
  TRUEUP_HTTP_PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  TRUEUP_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

const schema = variables.superRefine((env, issues) => {
  const live = /^(sk|rk)_live_/.test(env.TRUEUP_STRIPE_KEY);
  if (live && env.TRUEUP_STRIPE_LIVE !== 'yes') {
    issues.addIssue({
      code: 'custom',
      path: ['TRUEUP_STRIPE_KEY'],
      message: 'is a live key: set TRUEUP_STRIPE_LIVE=yes in production, use a test key anywhere else',
    });
  }
  if (live && env.TRUEUP_CLOCK === 'simulated') {
    issues.addIssue({
      code: 'custom',
      path: ['TRUEUP_CLOCK'],
      message: 'a simulated clock is refused with a live key',
    });
  }
});

export type Env = z.infer<typeof schema>;
type Source = Readonly<Record<string, string | undefined>>;

/** Throws `rejected` ENV_INVALID naming every variable at fault; values never appear in the message. */
export function parseEnv(source: Source): Env {
  return parseWith(schema, source);
}

/** The same for a process that needs only some of the variables: the others may be missing or wrong. */
export function parseEnvPart<Name extends keyof Env>(source: Source, names: readonly Name[]): Pick<Env, Name> {
  const shape = Object.fromEntries(names.map((name) => [name, variables.shape[name]]));
  return parseWith(z.object(shape) as unknown as z.ZodType<Pick<Env, Name>>, source);
}

function parseWith<Shape>(shape: z.ZodType<Shape>, source: Source): Shape {
  const present = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = shape.safeParse(present);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const name = issue.path.join('.');
    return `  ${name} ${present[name] === undefined ? 'is not set' : issue.message}`;
  });
  throw new TrueupError({
    kind: 'rejected',
    code: 'ENV_INVALID',
    message: `the environment has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${problems.join('\n')}\n`,
    next: 'see .env.example for every variable, or start through npm run dev, which sets them',
  });
}
