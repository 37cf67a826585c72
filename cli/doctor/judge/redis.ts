// Redis as the job queue and the counter of rate limits: it must not evict, and should keep what it acknowledged. Pure.

import { ok, problem, unknown, warning, type Finding } from '../finding.ts';
import { judgeVersion } from './versions.ts';

/** What INFO says, by name. */
export function judgeRedis(info: ReadonlyMap<string, string>): Finding[] {
  return [judgeVersion('Redis', info.get('redis_version') ?? ''), judgeEviction(info), judgePersistence(info)];
}

function judgeEviction(info: ReadonlyMap<string, string>): Finding {
  const check = 'maxmemory-policy';
  const policy = info.get('maxmemory_policy');
  const next = 'set maxmemory-policy noeviction';
  if (policy === undefined) return unknown(check, 'INFO does not tell it', next);
  if (policy === 'noeviction') return ok(check, policy);
  return problem(check, `${policy} lets go of queued jobs when memory runs out`, next);
}

function judgePersistence(info: ReadonlyMap<string, string>): Finding {
  const check = 'appendonly';
  const enabled = info.get('aof_enabled');
  const next = 'set appendonly yes';
  if (enabled === undefined) return unknown(check, 'INFO does not tell it', next);
  if (enabled === '1') return ok(check, 'what it acknowledged survives a restart');
  return warning(check, 'a restart forgets queued jobs and rate limits; cursors in Postgres wake the work again', next);
}
