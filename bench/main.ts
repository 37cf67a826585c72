// `npm run bench -- [pipeline|freshness|queries|…] [options]`: the project's measures. Each starts servers of its own,
// prints a table and one JSON line, and leaves its figures in bench/results/.

import { benchFreshness } from './freshness.ts';
import { FRESHNESS_USAGE, PIPELINE_USAGE, QUERIES_USAGE } from './options.ts';
import { benchPipeline } from './pipeline.ts';
import { benchQueries } from './queries.ts';
import { benchReconcile, RECONCILE_USAGE } from './reconcile/reconcile.ts';

type Measure = { readonly run: (args: readonly string[]) => Promise<void>; readonly usage: string };

const MEASURES: Readonly<Record<string, Measure>> = {
  pipeline: { run: benchPipeline, usage: PIPELINE_USAGE },
  freshness: { run: benchFreshness, usage: FRESHNESS_USAGE },
  queries: { run: benchQueries, usage: QUERIES_USAGE },
  reconcile: { run: benchReconcile, usage: RECONCILE_USAGE },
};

const args = process.argv.slice(2);
const named = args[0] !== undefined && !args[0].startsWith('-');
const measure = MEASURES[named ? (args[0] ?? '') : 'pipeline'];
if (measure === undefined || args.includes('--help')) {
  console.error(
    Object.values(MEASURES)
      .map(({ usage }) => usage)
      .join('\n\n'),
  );
  process.exit(2);
}
try {
  await measure.run(named ? args.slice(1) : args);
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
