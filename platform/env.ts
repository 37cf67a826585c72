// The environment, read and checked once per process. Every problem is listed at once, so that one run of a
// misconfigured process is enough to mend its configuration. Nobody else reads process.env.

import { z } from 'zod';
import { TrueupError } from '../domain/contracts/errors.ts';
import { MANIFEST_TOPIC, USAGE_TOPIC } from '../domain/contracts/topics.ts';

const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    error: `must be a URL starting with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });

const oneOf = <const Word extends string>(...words: readonly [Word, ...Word[]]) =>
  z.enum(words, { error: `must be one of: ${words.join(', ')}` });

const countError = { error: 'must be a whole number from 1' };
const portError = { error: 'must be a port: a whole number from 0 to 65535' };
const port = z.coerce.number(portError).int(portError).min(0, portError).max(65_535, portError);

const seconds = z.coerce
  .number({ error: 'must be a number of seconds' })
  .min(1, { error: 'must be at least 1 second' })
  .max(3_600, { error: 'must be at most an hour' });

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
  TRUEUP_STRIPE_AUDIT_KEY: z
    .string()
    .regex(/^(rk_(test|live)|sk_test)_/, { error: 'must be a restricted Stripe key (rk_…), or a test key' })
    .optional(),
  TRUEUP_STRIPE_RATE: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, { error: 'must be a whole number of calls per second' })
    .optional(),
  TRUEUP_STRIPE_WEBHOOK_SECRETS: z
    .string()
    .regex(/^whsec_[^\s,]+(,whsec_[^\s,]+)*$/, {
      error: 'must be whsec_…[,whsec_…]: the old and the new while one is rotated',
    })
    .optional(),
  TRUEUP_WEBHOOK_PORT: port.optional(),
  TRUEUP_STRIPE_LIVE: oneOf('yes', 'no').default('no'),
  TRUEUP_CLOCK: oneOf('simulated', 'wall').default('wall'),
  TRUEUP_MIGRATE: oneOf('yes', 'no').default('yes'),
  TRUEUP_TOPIC: z.string().min(1).default(USAGE_TOPIC),
  TRUEUP_MANIFEST_TOPIC: z.string().min(1).default(MANIFEST_TOPIC),
  TRUEUP_CASE_KEYS: z.string().optional(),
  TRUEUP_HTTP_HOST: z.string().min(1).default('127.0.0.1'),
  TRUEUP_HTTP_PORT: port.default(8080),
  TRUEUP_OPS_HOST: z.string().min(1).default('127.0.0.1'),
  TRUEUP_OPS_PORT: port.optional(),
  TRUEUP_STANDSTILL_SECONDS: seconds.default(60),
  TRUEUP_WATCH_SECONDS: seconds.default(10),
  TRUEUP_ROLLUP_SHARDS: z.coerce.number(countError).int(countError).min(1, countError).max(64, countError).default(1),
  TRUEUP_BUSY_NAMESPACES: z.coerce.number(countError).int(countError).min(1, countError).default(500),
  TRUEUP_CHROMIUM: z.string().optional(),
  PATH: z.string().optional(),
  TRUEUP_TRACE_URL: url('http:', 'https:').optional(),
  TRUEUP_LOG_LEVEL: oneOf('debug', 'info', 'warn', 'error', 'silent').default('info'),
});

export type Env = z.infer<typeof variables>;
type Source = Readonly<Record<string, string | undefined>>;

/** What no single variable shows. Looked at whatever else is wrong, so that it isn't found only by the next start. */
function findContradictions(source: Source): string[] {
  const found = [];
  if ((source['TRUEUP_WEBHOOK_PORT'] ?? '') !== '' && (source['TRUEUP_STRIPE_WEBHOOK_SECRETS'] ?? '') === '') {
    found.push('TRUEUP_WEBHOOK_PORT needs TRUEUP_STRIPE_WEBHOOK_SECRETS: without one, no webhook can be believed');
  }
  if (!/^(sk|rk)_live_/.test(source['TRUEUP_STRIPE_KEY'] ?? '')) return found;
  if (source['TRUEUP_STRIPE_LIVE'] !== 'yes') {
    found.push(
      'TRUEUP_STRIPE_KEY is a live key: set TRUEUP_STRIPE_LIVE=yes in production, use a test key anywhere else',
    );
  }
  if (source['TRUEUP_CLOCK'] === 'simulated') {
    found.push('TRUEUP_CLOCK must be wall with a live key: a simulated clock is refused with real money');
  }
  return found;
}

/** Throws `rejected` ENV_INVALID naming every variable at fault; values never appear in the message. */
export function parseEnv(source: Source): Env {
  return parseWith(variables, source, findContradictions(source));
}

/** The same for a process that needs only some of the variables: the others may be missing or wrong. */
export function parseEnvPart<Name extends keyof Env>(source: Source, names: readonly Name[]): Pick<Env, Name> {
  const shape = Object.fromEntries(names.map((name) => [name, variables.shape[name]]));
  return parseWith(z.object(shape) as unknown as z.ZodType<Pick<Env, Name>>, source);
}

/** One line for everything parseEnv would refuse; none: it takes it. */
export function findEnvProblems(source: Source): string[] {
  return [...check(variables, source).wrong, ...findContradictions(source)];
}

function check<Shape>(shape: z.ZodType<Shape>, source: Source) {
  const present = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = shape.safeParse(present);
  const wrong = (parsed.error?.issues ?? []).map((issue) => {
    const name = issue.path.join('.');
    return `${name} ${present[name] === undefined ? 'is not set' : issue.message}`;
  });
  return { parsed, wrong };
}

function parseWith<Shape>(shape: z.ZodType<Shape>, source: Source, contradictions: readonly string[] = []): Shape {
  const { parsed, wrong } = check(shape, source);
  if (parsed.success && contradictions.length === 0) return parsed.data;
  const problems = [...wrong, ...contradictions];
  const count = `${problems.length} problem${problems.length === 1 ? '' : 's'}`;
  throw new TrueupError({
    kind: 'rejected',
    code: 'ENV_INVALID',
    // What follows is ": " and the next step.
    message: `the environment has ${count}:\n${problems.map((problem) => `  ${problem}\n`).join('')}next`,
    next: 'see .env.example for every variable, or start through npm run dev, which sets them',
  });
}
