/**
 * Cancels a running read whose client has left.
 *
 * The engine gives no handle on a query, so it is found in the list of processes by the mark in its log_comment.
 * Promises: tries until the query has ended; a failure costs nothing but the query running to its end.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from './engine.ts';

const BETWEEN_TRIES_MS = 100;
// Seen: a query killed between its registration and its first row runs on, although the engine says it is being cancelled.
const IS_UNDER_WAY = '(read_rows > 0 OR elapsed > 1)';

/** Watches `signal` until the returned function is called, which says that the query has ended. */
export function cancelWhenGone(signal: AbortSignal, mark: string, connect: () => Connection): () => void {
  const ended = new AbortController();
  const onGone = (): void => void cancel(mark, connect, ended.signal);
  signal.addEventListener('abort', onGone, { once: true });
  return () => {
    signal.removeEventListener('abort', onGone);
    ended.abort();
  };
}

async function cancel(mark: string, connect: () => Connection, ended: AbortSignal): Promise<void> {
  const connection = connect();
  try {
    while (!ended.aborted) {
      await connection.run(`KILL QUERY WHERE Settings['log_comment'] = '${mark}' AND ${IS_UNDER_WAY} ASYNC`);
      await pause(BETWEEN_TRIES_MS, undefined, { signal: ended });
    }
  } catch {
    // The query ended while we paused, or can't be cancelled; nobody waits for its answer either way.
  } finally {
    connection.close();
  }
}
