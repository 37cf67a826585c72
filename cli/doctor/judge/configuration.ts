// The environment: every problem at once, and what is valid but a trap in production. Values never appear. Pure.

import { ok, problem, trap, warning, type Finding } from '../finding.ts';
import type { Source } from '../secrets.ts';

/** Whether the environment says that real money is charged. */
export function isLive(source: Source): boolean {
  return /^(sk|rk)_live_/.test(source['TRUEUP_STRIPE_KEY'] ?? '');
}

/** `problems` is what the environment's own check found, `caseKeys` what is wrong with the keys of cases, or null. */
export type EnvironmentFacts = { readonly problems: readonly string[]; readonly caseKeys: string | null };

export function judgeConfiguration(source: Source, { problems, caseKeys }: EnvironmentFacts): Finding[] {
  const set = Object.keys(source).filter((name) => name.startsWith('TRUEUP_') && isSet(source, name));
  const wrong = problems.map((says) => problem('variables', says, 'see .env.example for what each variable is'));
  return [
    ...(wrong.length > 0 ? wrong : [ok('variables', `${set.length} are set, none is missing or wrong`)]),
    judgeHost(source, 'TRUEUP_HTTP_HOST', {
      what: 'the HTTP door',
      next: 'put TLS in front of it, and let only the proxy reach it',
    }),
    judgeHost(source, 'TRUEUP_OPS_HOST', {
      what: 'metrics and health',
      next: 'let only Prometheus reach it: metrics name tenants',
    }),
    judgeCaseKeys(source, caseKeys),
    judgeWebhooks(source),
    judgeKeyUse(source),
    judgeMigrating(source),
  ];
}

function isSet(source: Source, name: string): boolean {
  return (source[name] ?? '') !== '';
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|::1)$/;
const EVERYWHERE = /^(0\.0\.0\.0|::)$/;

function judgeHost(source: Source, name: string, { what, next }: { what: string; next: string }): Finding {
  const host = isSet(source, name) ? (source[name] ?? '') : '127.0.0.1';
  if (LOOPBACK.test(host)) return ok(name, `${what} can be reached from this machine only`);
  const reach = EVERYWHERE.test(host) ? 'on every network this machine is in' : `at ${host}`;
  return warning(name, `${what} can be reached ${reach}`, next);
}

function judgeCaseKeys(source: Source, fault: string | null): Finding {
  const check = 'TRUEUP_CASE_KEYS';
  if (fault !== null) return problem(check, fault, 'write <key id>:<secret>[,<key id>:<older secret>]');
  if (isSet(source, check)) return ok(check, 'cases can be signed and are honoured');
  const says = 'there is no key: late usage that an operator brings back under a case would be rejected again';
  return trap(isLive(source), check, says, 'set the same keys for all sinks and for the operator');
}

function judgeWebhooks(source: Source): Finding {
  const check = 'TRUEUP_WEBHOOK_PORT';
  const [port, secrets] = [isSet(source, check), isSet(source, 'TRUEUP_STRIPE_WEBHOOK_SECRETS')];
  if (port && secrets) return ok(check, 'webhooks are taken and verified');
  if (port)
    return problem(
      check,
      'webhooks are taken, but there is no secret to verify them with',
      'set TRUEUP_STRIPE_WEBHOOK_SECRETS',
    );
  if (secrets) return warning(check, 'there are signing secrets, but no port is listened on', `set ${check}`);
  const says = 'no webhook is taken: what changes at Stripe is found by sweeps, hours later';
  return trap(isLive(source), check, says, `set ${check} and TRUEUP_STRIPE_WEBHOOK_SECRETS`);
}

function judgeKeyUse(source: Source): Finding {
  const check = 'TRUEUP_STRIPE_KEY';
  if (!isLive(source)) {
    if (source['TRUEUP_STRIPE_LIVE'] !== 'yes') return ok(check, 'not a live key: no real money is touched');
    const says = 'TRUEUP_STRIPE_LIVE says yes, but the key is none of live mode: nobody is charged';
    return warning(check, says, 'set the live key, or TRUEUP_STRIPE_LIVE=no');
  }
  if (!isSet(source, 'TRUEUP_STRIPE_URL')) return ok(check, 'a live key, sent to Stripe only');
  const says = 'a live key would be sent to the address in TRUEUP_STRIPE_URL instead of to Stripe';
  return problem(check, says, 'empty TRUEUP_STRIPE_URL');
}

function judgeMigrating(source: Source): Finding {
  const check = 'TRUEUP_MIGRATE';
  if (source[check] === 'no') return ok(check, '"trueup migrate" brings the schema, ahead of the processes');
  const says = 'the first process of a release changes the schema at its start';
  if (!isLive(source)) return ok(check, says);
  return warning(check, says, 'set TRUEUP_MIGRATE=no and run "trueup migrate" ahead of a release');
}
