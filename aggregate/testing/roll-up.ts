import type { RollupDeps, RollupPass } from '../rollup.ts';
import { RollupWorker } from '../rollup-worker.ts';

/** The first pass of a new rollup worker, in which it brings the oldest blocks of its list into all grains. */
export async function rollUpPending(deps: RollupDeps): Promise<RollupPass> {
  const worker = new RollupWorker({ ...deps, busyNamespaces: 500 }, () => performance.now());
  return worker.pass();
}
