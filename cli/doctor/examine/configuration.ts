// What needs no server: the environment, this program, and the processes whose health was asked for.

import { z } from 'zod';
import { parseCaseKeys } from '../../../ingest/case.ts';
import { findEnvProblems } from '../../../platform/env.ts';
import { readVersion } from '../../../platform/process.ts';
import { learn } from '../fact.ts';
import { ok, type Area } from '../finding.ts';
import { judgeConfiguration } from '../judge/configuration.ts';
import { judgeReadiness, type Readiness } from '../judge/processes.ts';
import { judgeVersion } from '../judge/versions.ts';
import type { Source } from '../secrets.ts';

export async function examineConfiguration(source: Source): Promise<Area> {
  const keys = await learn(async () => Promise.resolve(parseCaseKeys(source['TRUEUP_CASE_KEYS'])));
  const facts = { problems: findEnvProblems(source), caseKeys: keys.known ? null : keys.error.message };
  return { area: 'configuration', findings: judgeConfiguration(source, facts) };
}

export function examineProgram(): Area {
  const { check: _, ...node } = judgeVersion('Node', process.version);
  return { area: 'program', findings: [ok('trueup', readVersion()), { check: 'node', ...node }] };
}

export async function examineReadiness(targets: readonly string[]): Promise<Area[]> {
  if (targets.length === 0) return [];
  const findings = await Promise.all(
    targets.map(async (target) => {
      const answer = await learn(async () => fetchReadiness(target));
      return judgeReadiness(target, answer.known ? answer.value : { answered: false, why: whyOf(answer.error) });
    }),
  );
  return [{ area: 'processes', findings }];
}

/** What fetch says is the same for every failure; its cause tells. */
function whyOf({ message, cause }: Error): string {
  return cause instanceof Error ? cause.message : message;
}

const answerShape = z.object({ checks: z.record(z.string(), z.string()) });

async function fetchReadiness(target: string): Promise<Readiness> {
  const response = await fetch(`http://${target}/readyz`);
  const { checks } = answerShape.parse(await response.json());
  return { answered: true, ready: response.ok, checks };
}
