// What keeps this month from going on, in words, the most fundamental first. Pure. Each says what it means for usage and
// money, what to do next, and which runbook has the rest.

import { OUTBOX_STUCK_MS, WORKFLOW_STUCK_MS } from '../domain/contracts/jobs.ts';
import { FINDING_RULES } from '../domain/contracts/integrity-findings.ts';
import { toIso } from '../domain/period.ts';
import { formatDuration } from './duration.ts';
import type { PartName, ServerName, Standing } from './standing.ts';

export type Blocker = {
  readonly what: string;
  readonly means: string;
  readonly next: string;
  readonly runbook: string;
};

/** Two looks, so that it shows whether work moves. */
export type Looks = { readonly before: Standing; readonly now: Standing };

const SERVERS: Readonly<Record<ServerName, { readonly name: string; readonly means: string }>> = {
  kafka: {
    name: 'Kafka',
    means: 'no usage arrives and nothing can be closed; sources keep their events and send them again',
  },
  clickhouse: {
    name: 'ClickHouse',
    means: 'usage waits in Kafka and nothing is lost; nothing is rolled up, closed or shown until it is back',
  },
  postgres: {
    name: 'Postgres',
    means: 'usage waits in Kafka and nothing is lost; sinks, rollups, closes and people wait',
  },
  redis: { name: 'Redis', means: 'the rollup worker is not woken, and rate limits hold per process' },
  temporal: { name: 'Temporal', means: 'closes and hourly pushes stand where they are, and go on from there' },
  stripe: { name: 'Stripe', means: 'pushes and invoices wait; nothing is sent twice when it is back' },
};

/** A block this old that nobody rolled up is not one that just came. */
const ROLLUP_YOUNG_MS = 60_000;

export function findBlockers({ before, now }: Looks): Blocker[] {
  return [
    ...serversAway(now),
    ...unreadable(now),
    ...standstill(before, now),
    ...rollupStalled(before, now),
    ...brokenProof(now),
    ...holds(now),
    ...stuckWork(now),
    ...overdue(now),
    ...criticalCases(now),
  ];
}

function serversAway({ servers }: Standing): Blocker[] {
  if (!servers.ok) return [];
  return (Object.entries(servers.value) as [ServerName, string | null][]).flatMap(([server, problem]) => {
    if (problem === null) return [];
    const { name, means } = SERVERS[server];
    const next = 'see that it runs and is reachable from here';
    return [{ what: `${name} does not answer: ${problem}`, means, next, runbook: 'DependencyDown' }];
  });
}

/** Only where no server that is away explains it. */
function unreadable(now: Standing): Blocker[] {
  if (!now.servers.ok || Object.values(now.servers.value).some((problem) => problem !== null)) return [];
  const { atMs: _, ...parts } = now;
  return (Object.entries(parts) as [PartName, Standing[PartName]][]).flatMap(([name, part]) =>
    part.ok
      ? []
      : [
          {
            what: `${name} can't be read: ${part.error}`,
            means: 'what is not known is not well: nothing about it can be relied on',
            next: 'run "trueup doctor"',
            runbook: 'WatcherBlind',
          },
        ],
  );
}

export function computeLag({ log }: Standing): bigint | null {
  if (!log.ok) return null;
  const { ends, stored } = log.value;
  return ends.reduce((sum, end, partition) => {
    const lag = end - (stored[partition] ?? 0n);
    return lag > 0n ? sum + lag : sum;
  }, 0n);
}

function standstill(before: Standing, now: Standing): Blocker[] {
  const lag = computeLag(now);
  if (lag === null || lag === 0n || !before.log.ok || !now.log.ok) return [];
  const earlier = before.log.value.stored;
  const moved = now.log.value.stored.some((end, partition) => end !== earlier[partition]);
  if (moved) return [];
  return [
    {
      what: `${lag} records wait in Kafka and none was stored in the last ${formatDuration(now.atMs - before.atMs)}`,
      means: 'usage is not lost, but it is neither shown nor billed',
      next: 'see whether a sink runs, and what it says',
      runbook: 'ConsumptionStopped',
    },
  ];
}

function rollupStalled(before: Standing, now: Standing): Blocker[] {
  if (!now.rollup.ok || !before.rollup.ok) return [];
  const { pendingBlocks, oldestPendingMs, rolledUp } = now.rollup.value;
  const earlier = before.rollup.value.rolledUp;
  const moved = rolledUp.some((end, partition) => end !== earlier[partition]);
  if (pendingBlocks === 0 || moved || oldestPendingMs < ROLLUP_YOUNG_MS) return [];
  return [
    {
      what: `${pendingBlocks} stored blocks are not rolled up, the oldest for ${formatDuration(oldestPendingMs)}`,
      means: 'usage is stored, but no total has it yet',
      next: 'see whether the rollup worker runs, and what it says',
      runbook: 'RollupStalled',
    },
  ];
}

function brokenProof({ findings }: Standing): Blocker[] {
  if (!findings.ok) return [];
  const broken = findings.value.open.filter(({ kind }) => FINDING_RULES[kind].stopsClose);
  return broken.map(({ kind, key }) => ({
    what: `${kind} ${key}: ${FINDING_RULES[kind].meaning}`,
    means: 'nothing is closed or adjusted over it; what waits for that goes on once it is resolved',
    next: FINDING_RULES[kind].next,
    runbook: 'IntegrityFindingOpen',
  }));
}

function holds({ holds: found }: Standing): Blocker[] {
  if (!found.ok) return [];
  return found.value
    .filter(({ account }) => account === null)
    .map(({ id, kinds, reason, owner, expiresAtMs }) => ({
      what: `hold ${id} stops ${kinds.join(' and ')} of all accounts: ${reason}`,
      means: `${owner} set it; it ends by itself at ${toIso(expiresAtMs)}`,
      next: `ask ${owner}, then: trueup holds release ${id}`,
      runbook: 'HoldForgotten',
    }));
}

function stuckWork({ workflows, outbox }: Standing): Blocker[] {
  const running = workflows.ok ? workflows.value.running : [];
  const stuck = running.flatMap(({ id, stuck: step }) =>
    step === null || step.forMs < WORKFLOW_STUCK_MS
      ? []
      : [
          {
            what: `${id}: ${step.step} has been waiting or failing for ${formatDuration(step.forMs)} (${step.why})`,
            means: 'the workflow goes on from here as soon as its step gets done',
            next: 'see whether a reconciliation worker runs, and what it says',
            runbook: 'WorkflowStuck',
          },
        ],
  );
  const failed = (workflows.ok ? workflows.value.failed : []).map(({ id }) => ({
    what: `${id} ended in failure`,
    means: 'what it was to do is not done',
    next: 'read why it failed, mend it and start it again: every step may be repeated',
    runbook: 'WorkflowFailed',
  }));
  const late = Object.entries(outbox.ok ? outbox.value : {})
    .filter(([, { oldestDueMs }]) => oldestDueMs > OUTBOX_STUCK_MS)
    .map(([queue, { messages, oldestDueMs }]) => ({
      what: `${messages} ${queue} wait, the oldest for ${formatDuration(oldestDueMs)}`,
      means: 'what Stripe told us, or was to be told, is not done',
      next: 'see whether a reconciliation worker runs and reaches Stripe',
      runbook: 'OutboxStuck',
    }));
  return [...stuck, ...failed, ...late];
}

function overdue({ period, clock }: Standing): Blocker[] {
  if (!period.ok || !clock.ok) return [];
  const nowMs = clock.value.businessNowMs;
  return period.value.steps
    .filter(({ done, dueMs }) => !done && dueMs < nowMs)
    .map(({ period: key, step, dueMs }) => ({
      what: `the ${step} of ${key} was due ${toIso(dueMs)}, ${formatDuration(nowMs - dueMs)} ago`,
      means: step === 'sign-off' ? 'the books of the month are not signed' : 'invoices of the month are late',
      next: step === 'sign-off' ? `trueup sign-off status ${key}` : `trueup period status ${key}`,
      runbook: 'PeriodStepOverdue',
    }));
}

function criticalCases({ books }: Standing): Blocker[] {
  if (!books.ok) return [];
  return books.value.unsettled
    .filter(({ severity }) => severity === 'critical')
    .map(({ caseId, code, account, period }) => ({
      what: `${code} of ${account} in ${period} is critical and not settled`,
      means: 'the month can not be signed without a decision about it',
      next: `trueup cases show ${caseId}`,
      runbook: 'CriticalBreakOpen',
    }));
}
