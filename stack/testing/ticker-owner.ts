// Supervises two tickers and prints what they print, for a test that kills it.
import { join } from 'node:path';
import { superviseProcesses } from '../processes.ts';

const file = join(import.meta.dirname, 'ticker.ts');
superviseProcesses(
  ['one', 'two'].map((name) => ({ name, file })),
  { onLine: (_, line) => console.log(line) },
);
