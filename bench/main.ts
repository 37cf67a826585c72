// `npm run bench -- [pipeline|queries] [options]`: the project's measures. Each starts servers of its own, prints a table
// and one JSON line, and leaves its figures in bench/results/.

import { benchPipeline } from './pipeline.ts';

const MEASURES: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  pipeline: benchPipeline,
};

const [first = 'pipeline', ...rest] = process.argv.slice(2);
const named = !first.startsWith('-');
const measure = MEASURES[named ? first : 'pipeline'];
if (measure === undefined) {
  console.error(`There is no measure "${first}": ${Object.keys(MEASURES).join(' or ')}`);
  process.exit(2);
}
try {
  await measure(named ? rest : process.argv.slice(2));
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
