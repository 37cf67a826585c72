// A topic's settings as our promises need them: the log is kept until it was archived, stamps are those acceptance goes by,
// and what the HTTP door sends fits. Pure.

import { EVENT_LIMITS } from '../../../domain/contracts/topics.ts';
import { WAITS } from '../../../domain/contracts/waits.ts';
import type { TopicFacts } from '../../../platform/kafka-topics.ts';
import { ok, problem, trap, unknown, warning, type Finding } from '../finding.ts';

export type TopicNeeds = {
  readonly topic: string;
  readonly clock: 'simulated' | 'wall';
  readonly live: boolean;
  /** The largest batch that is sent to it. */
  readonly batchBytes: number;
  /** How far business time is ahead of this machine's; null where it is not simulated or not set. */
  readonly aheadMs: number | null;
};

const DAY_MS = 86_400_000;
/** A month's first usage is in the log until the month is archived, which may be after everything it may wait for. */
const RETENTION_MIN_MS = 31 * DAY_MS + EVENT_LIMITS.ageMaxMs + WAITS.graceMs + WAITS.disputeWindowMs;

export function judgeTopic(facts: TopicFacts | null, needs: TopicNeeds): Finding[] {
  const { topic } = needs;
  const name = (check: string) => `${topic} ${check}`;
  if (facts === null) {
    return [
      problem(
        name('exists'),
        'there is no such topic',
        'create it (docs/operations.md), or correct the variable that names it',
      ),
    ];
  }
  const setting = (key: string, judge: (value: string, check: string) => Finding): Finding => {
    const value = facts.settings.get(key);
    const check = name(key);
    return value === undefined
      ? unknown(check, 'the broker does not tell it', 'see that it is set as docs/operations.md says')
      : judge(value, check);
  };
  return [
    judgePartitions(facts, name('partitions')),
    judgeReplication(facts, name('replication')),
    setting('min.insync.replicas', (value, check) => judgeMinInSync(Number(value), facts, check)),
    setting('cleanup.policy', judgeCleanup),
    setting('retention.ms', judgeRetentionMs),
    setting('retention.bytes', judgeRetentionBytes),
    setting('max.message.bytes', (value, check) => judgeMaxBytes(Number(value), needs, check)),
    setting('message.timestamp.type', (value, check) => judgeTimestamps(value, needs, check)),
    ...(needs.clock === 'wall'
      ? []
      : [setting('message.timestamp.after.max.ms', (value, check) => judgeAfterMax(Number(value), needs, check))]),
  ];
}

function judgePartitions({ partitions }: TopicFacts, check: string): Finding {
  const leaderless = partitions.filter(({ hasLeader }) => !hasLeader).length;
  if (partitions.length === 0) return problem(check, 'it has none', 'create it anew, with partitions');
  if (leaderless === 0) return ok(check, `${partitions.length}, each with a leader`);
  return problem(
    check,
    `${leaderless} of ${partitions.length} have no leader and take nothing`,
    'bring their brokers back',
  );
}

function judgeReplication({ partitions }: TopicFacts, check: string): Finding {
  const replicas = Math.min(...partitions.map((one) => one.replicas));
  const lagging = partitions.filter(({ inSync, replicas: all }) => inSync < all).length;
  if (replicas === 1) {
    return warning(check, 'one copy: a lost disk loses usage', 'replicate it three times in production');
  }
  if (lagging === 0) return ok(check, `${replicas} copies, all in sync`);
  return warning(check, `${lagging} partitions have copies that are behind`, 'see to the brokers that hold them');
}

function judgeMinInSync(least: number, { partitions }: TopicFacts, check: string): Finding {
  const replicas = Math.min(...partitions.map((one) => one.replicas));
  if (replicas === 1)
    return least === 1 ? ok(check, '1 of 1') : problem(check, `${least} of 1: nothing is taken`, 'set it to 1');
  if (least >= replicas)
    return warning(check, `${least} of ${replicas}: one broker that is away stops all writes`, 'set it to 2');
  if (least > 1) return ok(check, `${least} of ${replicas}`);
  return warning(check, `1 of ${replicas}: an acknowledged event may have one copy only`, 'set it to 2');
}

function judgeCleanup(policy: string, check: string): Finding {
  if (policy === 'delete') return ok(check, policy);
  return problem(
    check,
    `${policy} removes records of the same key, and an event's key is its identity`,
    'set cleanup.policy=delete',
  );
}

function judgeRetentionMs(value: string, check: string): Finding {
  if (value === '-1') return ok(check, 'kept until somebody removes it');
  const days = Math.floor(Number(value) / DAY_MS);
  const next = 'set retention.ms=-1';
  if (Number(value) >= RETENTION_MIN_MS) {
    return warning(check, `records go after ${days} days, archived or not`, next);
  }
  const least = Math.ceil(RETENTION_MIN_MS / DAY_MS);
  return problem(check, `records go after ${days} days; a month may need them for ${least}`, next);
}

function judgeRetentionBytes(value: string, check: string): Finding {
  if (value === '-1') return ok(check, 'no limit');
  return problem(check, `records go once a partition has ${value} bytes, archived or not`, 'set retention.bytes=-1');
}

function judgeMaxBytes(bytes: number, { batchBytes }: TopicNeeds, check: string): Finding {
  if (bytes >= batchBytes) return ok(check, `${bytes}, at least ${batchBytes} are needed`);
  return problem(check, `${bytes}: batches of ${batchBytes} bytes are refused`, 'leave it at its default, 1048588');
}

function judgeTimestamps(type: string, { clock, live }: TopicNeeds, check: string): Finding {
  if (clock === 'simulated') {
    if (type === 'CreateTime') return ok(check, `${type}: records keep their simulated arrival`);
    return problem(
      check,
      `${type} replaces simulated arrivals by today's time`,
      `set message.timestamp.type=CreateTime`,
    );
  }
  if (type === 'LogAppendTime') return ok(check, `${type}: the broker says when an event arrived`);
  const says = `${type} lets a source say when its events arrived, and so how old they may be`;
  return trap(live, check, says, 'set message.timestamp.type=LogAppendTime');
}

const YEAR_MS = 366 * DAY_MS;

function judgeAfterMax(limitMs: number, { aheadMs }: TopicNeeds, check: string): Finding {
  const days = Math.round(limitMs / DAY_MS);
  const next = 'set message.timestamp.after.max.ms=9223372036854775807';
  if (aheadMs !== null && aheadMs > limitMs) {
    return problem(check, `simulated time is further ahead than the ${days} days it takes: nothing is taken`, next);
  }
  if (limitMs >= YEAR_MS) return ok(check, 'a simulated month may lie ahead');
  return warning(check, `simulated time may be at most ${days} days ahead`, next);
}
