import type { RollupDeps } from '../rollup.ts';
import { RollupWorker } from '../rollup-worker.ts';

/** A new rollup worker works its list off. */
export async function rollUpAll(deps: RollupDeps): Promise<void> {
  const worker = new RollupWorker({ ...deps, busyNamespaces: 500 }, () => performance.now());
  while ((await worker.pass()).blocks > 0);
}
