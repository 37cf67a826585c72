// Waiting for a real answer.
import { setTimeout as pause } from 'node:timers/promises';
import { StackError } from './errors.ts';

const betweenAttemptsMs = 100;

/** Calls `attempt` until it resolves; `gaveUp` ends the wait early. The last refusal is part of the error. */
export async function untilAnswered(
  attempt: () => Promise<void>,
  wait: { name: string; withinMs: number; where: string | (() => string); next: string; gaveUp?: () => boolean },
): Promise<void> {
  const deadlineMs = performance.now() + wait.withinMs;
  let refusal = '';
  while (performance.now() < deadlineMs && wait.gaveUp?.() !== true) {
    try {
      await attempt();
      return;
    } catch (error) {
      refusal = error instanceof Error && error.message !== '' ? error.message : String(error);
    }
    await pause(betweenAttemptsMs);
  }
  throw new StackError({
    what:
      wait.gaveUp?.() === true
        ? `${wait.name} ends right after it starts`
        : `${wait.name} does not answer (${refusal})`,
    where: typeof wait.where === 'string' ? wait.where : wait.where(),
    next: wait.next,
  });
}
