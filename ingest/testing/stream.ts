// A steady stream of good events, every tenth of them twice, for tests that break something meanwhile.

import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../stack/testing/eventually.ts';
import { usageRecord, type IngestBench } from './bench.ts';

const BATCH = 200;
/** Slow enough that a busy machine keeps up, so that the breakage falls into the middle of the stream. */
const PACE_MS = 50;

export type EventStream = {
  /** Resolves with the number of distinct events sent, when all of them are in the log. */
  stop(): Promise<number>;
};

export function startEventStream(bench: IngestBench, baseMs: number): EventStream {
  const stopping = new AbortController();
  const run = async () => {
    let sent = 0;
    while (!stopping.signal.aborted) {
      const batch = Array.from({ length: BATCH }, (_, n) => usageRecord(sent + n, { atMs: baseMs + (sent + n) * 10 }));
      const twice = batch.filter((_, n) => n % 10 === 0);
      // A send that failed for want of a broker is repeated; its events keep their ids.
      await eventually(60_000, async () => {
        await bench.send([...batch, ...twice]);
        return true;
      });
      sent += BATCH;
      await pause(PACE_MS);
    }
    return sent;
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      return running;
    },
  };
}
