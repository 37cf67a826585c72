// What Stripe answered to one read. Pure.

import type { StripeFacts } from '../../../reconcile/door.ts';
import { METERS } from '../../../domain/meter.ts';
import { ok, problem, unknown, warning, type Finding } from '../finding.ts';

export function judgeStripe(facts: StripeFacts, live: boolean): Finding[] {
  return [judgeMode(facts, live), judgeApiVersion(facts), judgeMeters(facts)];
}

const mode = (live: boolean) => (live ? 'live' : 'test');

function judgeMode({ livemode }: StripeFacts, live: boolean): Finding {
  const check = 'key mode';
  if (livemode === null) return ok(check, `a key of ${mode(live)} mode by its prefix, and Stripe took it`);
  if (livemode === live) return ok(check, `${mode(live)} mode, as the key says`);
  const says = `a ${mode(live)} key showed objects of ${mode(livemode)} mode`;
  return problem(check, says, 'stop every process and check TRUEUP_STRIPE_KEY and TRUEUP_STRIPE_URL');
}

function judgeApiVersion({ asked, answered }: StripeFacts): Finding {
  const check = 'API version';
  const next = `see that nothing between us and Stripe changes the Stripe-Version header`;
  if (answered === null) return unknown(check, 'the answer does not name it', next);
  if (answered === asked) return ok(check, `pinned to ${asked}`);
  return problem(check, `we ask for ${asked} and are answered in ${answered}`, next);
}

function judgeMeters({ meters }: StripeFacts): Finding {
  const check = 'meters';
  if (meters === null)
    return unknown(check, 'there are more than one answer lists', `see that ${METERS.join(', ')} are active`);
  const missing = METERS.filter((name) => !meters.includes(name));
  if (missing.length === 0) return ok(check, `${METERS.join(', ')} are there`);
  const next = 'they are made when the first account is provisioned';
  return warning(check, `there is no active meter ${missing.join(', ')}`, next);
}
