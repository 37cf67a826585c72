// Polling with a deadline, for guarantees that come true soon after a cause.
import { setTimeout as pause } from 'node:timers/promises';

/** Resolves with the first defined answer; rejects with the last refusal when the deadline passes. */
export async function eventually<T>(withinMs: number, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadlineMs = performance.now() + withinMs;
  let refusal: unknown = new Error(`nothing within ${withinMs} ms`);
  while (performance.now() < deadlineMs) {
    try {
      const answer = await look();
      if (answer !== undefined) return answer;
    } catch (error) {
      refusal = error;
    }
    await pause(50);
  }
  throw refusal;
}

/** True while a process with this pid exists and is no zombie. */
export function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
