// trueup doctor: is this installation set up right? Every check says ok, warning, problem or that it could not be made, and
// all but ok what to do next. It changes nothing, asks everything at once and within deadlines, and shows no secret. Exit
// code 1: there is a problem.

import { parseArgs } from 'node:util';
import { UsageError, type Run } from './command.ts';
import { answer } from './desk.ts';
import { countVerdicts, type Area, type Finding } from './doctor/finding.ts';
import { createRedaction } from './doctor/secrets.ts';
import { examineClickHouse } from './doctor/examine/clickhouse.ts';
import { examineConfiguration, examineProgram, examineReadiness } from './doctor/examine/configuration.ts';
import { examineKafka } from './doctor/examine/kafka.ts';
import { examinePostgres } from './doctor/examine/postgres.ts';
import { examineSchema } from './doctor/examine/schema.ts';
import { examineRedis, examineStripe, examineTemporal } from './doctor/examine/servers.ts';

export const run: Run = async (args, context) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ready: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
    },
  });
  const odd = values.ready.find((target) => !/^[^\s/:]+:\d+$/.test(target));
  if (odd !== undefined) throw new UsageError(`--ready is host:port of a process's metrics and health, not ${odd}`);
  const [configuration, ready, ...servers] = await Promise.all([
    examineConfiguration(context.variables),
    examineReadiness(values.ready),
    examineSchema(context),
    examinePostgres(context),
    examineClickHouse(context),
    examineKafka(context),
    examineRedis(context),
    examineTemporal(context),
    examineStripe(context),
  ]);
  const redact = createRedaction(context.variables);
  const areas = [configuration, examineProgram(), ...servers, ...ready].map((area) => redactArea(area, redact));
  const counts = countVerdicts(areas);
  answer(context, values.json, { value: { counts, areas }, lines: describe(areas) });
  return counts.problem === 0 ? 0 : 1;
};

function redactArea({ area, findings }: Area, redact: (text: string) => string): Area {
  const shown = findings.map((finding) => ({ ...finding, says: redact(finding.says) }));
  return { area, findings: shown };
}

function describe(areas: readonly Area[]): string[] {
  const width = Math.max(...areas.flatMap(({ findings }) => findings.map(({ check }) => check.length)));
  const lines = areas.flatMap(({ area, findings }) => [
    area,
    ...findings.flatMap((finding, index) => {
      const line = describeFinding(finding, width);
      // What is next for the finding below too is said once, below.
      const next = finding.next === findings[index + 1]?.next ? undefined : finding.next;
      return next === undefined ? [line] : [line, `${' '.repeat(13 + width)}next: ${next}`];
    }),
  ]);
  const { ok, warning, problem, unknown } = countVerdicts(areas);
  return [...lines, `problems: ${problem}, warnings: ${warning}, not checked: ${unknown}, ok: ${ok}`];
}

function describeFinding({ check, verdict, says }: Finding, width: number): string {
  return `  ${verdict.padEnd(7)}  ${check.padEnd(width)}  ${says}`;
}
