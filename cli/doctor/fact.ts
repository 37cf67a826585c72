// Facts are asked for one by one and within a deadline, so that one server that is away takes only what it knows out of the
// answer, and the whole look stays short.

import { setTimeout as delay } from 'node:timers/promises';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { problem, unknown, type Finding } from './finding.ts';

export type Fact<Value> =
  { readonly known: true; readonly value: Value } | { readonly known: false; readonly error: Error };

/** A server is greeted and then looked at: twice this is the longest an answer takes. */
const WITHIN_MS = 8_000;

export async function learn<Value>(ask: () => Promise<Value>, withinMs = WITHIN_MS): Promise<Fact<Value>> {
  const late = delay(withinMs, undefined, { ref: false }).then((): never => {
    throw new Error(`no answer within ${withinMs / 1_000} s`);
  });
  late.catch(() => undefined);
  try {
    return { known: true, value: await Promise.race([ask(), late]) };
  } catch (error) {
    return { known: false, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Judges what is known. What was refused for good is a problem; what could not be learned is unknown, and so is its judgement. */
export function judgeFact<Value>(
  check: string,
  fact: Fact<Value>,
  judge: (value: Value) => readonly Finding[],
): readonly Finding[] {
  if (fact.known) return judge(fact.value);
  const { error } = fact;
  const next = 'mend that, then run this again';
  if (!(error instanceof TrueupError) || error.retryable) return [unknown(check, error.message, next)];
  const says = error.next === undefined ? error.message : error.message.slice(0, -`: ${error.next}`.length);
  return [problem(check, says, error.next ?? next)];
}
