// Prometheus' and Alertmanager's own checkers, for tests of rules and configuration.
// Promises: the checker is the one that came with the server that the stack starts; installed when missing.
import { fetchOutput, type RunResult } from './commands.ts';
import { alertmanager } from './servers/alertmanager.ts';
import { prometheus } from './servers/prometheus.ts';
import { must } from './servers/server.ts';

type Options = { cwd?: string; input?: string };

/** Runs promtool (`check rules --lint=all F`, `check metrics`, `test rules F`) to its end; what it thinks is its code and its words. */
export async function runPromtool(args: readonly string[], options: Options = {}): Promise<RunResult> {
  return fetchOutput(must(await prometheus.install(console.error), 'checker'), args, options);
}

/** Runs amtool (`check-config F`, `config routes test --config.file F label=value …`) to its end. */
export async function runAmtool(args: readonly string[], options: Options = {}): Promise<RunResult> {
  return fetchOutput(must(await alertmanager.install(console.error), 'checker'), args, options);
}
