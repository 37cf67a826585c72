// What stands, as one screen of lines. Pure. What could not be read says unknown and never a number.

import { formatMoney, parseCurrency } from '../domain/money.ts';
import { toIso } from '../domain/period.ts';
import type { Workflows } from '../reconcile/door.ts';
import { computeLag, findBlockers, type Blocker, type Looks } from './blockers.ts';
import { formatDuration } from './duration.ts';
import { findNextStep } from './period-steps.ts';
import type { Part, Standing } from './standing.ts';

export function describeScreen(looks: Looks): string[] {
  const { now } = looks;
  const blockers = findBlockers(looks);
  return [headline(now, blockers), '', ...blockers.flatMap(describeBlocker), ...lines(looks).map(formatLine)];
}

function headline({ clock, period }: Standing, blockers: readonly Blocker[]): string {
  const at = clock.ok ? `${toIso(clock.value.businessNowMs).slice(0, 16)}Z` : 'business time unknown';
  const month = period.ok ? (findNextStep(period.value.steps)?.period ?? 'this month') : 'this month';
  const count = `${blockers.length} thing${blockers.length === 1 ? '' : 's'}`;
  const what = blockers.length === 0 ? `nothing blocks ${month}` : `${count} in the way of ${month}`;
  return `${at}  ${what}`;
}

function describeBlocker({ what, means, next, runbook }: Blocker): string[] {
  return [`  ! ${what}`, `    ${means}`, `    next: ${next}; dashboards/runbooks/${runbook}.md`, ''];
}

type Line = readonly [topic: string, text: string];

function formatLine([topic, text]: Line): string {
  return `  ${topic.padEnd(11)}${text}`;
}

function lines({ before, now }: Looks): Line[] {
  return [
    ['usage', usage(before, now)],
    [
      'rollup',
      known(now.rollup, ({ pendingBlocks, oldestPendingMs }) =>
        pendingBlocks === 0
          ? 'everything stored is rolled up'
          : `${pendingBlocks} blocks wait, the oldest for ${formatDuration(oldestPendingMs)}`,
      ),
    ],
    [
      'proof',
      known(now.findings, ({ open }) =>
        open.length === 0 ? 'no open finding' : countBy(open.map(({ kind }) => kind)),
      ),
    ],
    [
      'sources',
      known(now.findings, ({ announced, missing }) =>
        announced === null
          ? 'no manifests for the hours that are due'
          : missing === 0n
            ? `all ${announced} announced events arrived`
            : `${missing} of ${announced} announced events did not arrive`,
      ),
    ],
    ['next step', nextStep(now)],
    [
      'accounts',
      known(now.books, ({ newestRun }) =>
        newestRun === null
          ? 'no run yet'
          : `${newestRun.period}: ${[...newestRun.accounts].map(([state, count]) => `${count} ${state}`).join(', ')}`,
      ),
    ],
    ['cases', cases(now)],
    [
      'holds',
      known(now.holds, (found) =>
        found.length === 0
          ? 'none'
          : found
              .map(
                ({ account, kinds, expiresAtMs }) =>
                  `${account ?? 'all accounts'}: ${kinds.join(' and ')} until ${toIso(expiresAtMs).slice(0, 16)}Z`,
              )
              .join('; '),
      ),
    ],
    [
      'workflows',
      known(now.workflows, ({ running }) =>
        running.length === 0 ? 'none running' : `${countBy(running.map(({ kind }) => kind))}${longestWait(running)}`,
      ),
    ],
    [
      'outbox',
      known(now.outbox, (outbox) => {
        const waiting = Object.entries(outbox).filter(([, { messages }]) => messages > 0);
        return waiting.length === 0
          ? 'empty'
          : waiting
              .map(
                ([queue, { messages, oldestDueMs }]) =>
                  `${messages} ${queue}, the oldest due for ${formatDuration(oldestDueMs)}`,
              )
              .join('; ');
      }),
    ],
    [
      'storage',
      known(
        now.storage,
        ({ diskFreeRatio, replicas, replicationLagMs }) =>
          `${Math.floor(diskFreeRatio * 100)} % of the engine's disk is free; ${replicas === 0 ? 'no replica' : `${replicas} replica${replicas === 1 ? '' : 's'}, ${formatDuration(replicationLagMs)} behind`}`,
      ),
    ],
  ];
}

function known<Value>(part: Part<Value>, describe: (value: Value) => string): string {
  return part.ok ? describe(part.value) : `unknown: ${part.error}`;
}

function usage(before: Standing, now: Standing): string {
  const lag = computeLag(now);
  if (lag === null || !now.log.ok) return known(now.log, () => '');
  if (lag === 0n) return 'everything in Kafka is stored';
  const earlier = before.log.ok ? before.log.value.stored : now.log.value.stored;
  const stored = now.log.value.stored.reduce((sum, end, partition) => sum + end - (earlier[partition] ?? end), 0n);
  const seconds = Math.max(1, Math.round((now.atMs - before.atMs) / 1_000));
  return `${lag} records behind, ${stored / BigInt(seconds)} stored a second`;
}

function nextStep({ period, clock }: Standing): string {
  return known(period, ({ steps }) => {
    const next = findNextStep(steps);
    if (next === undefined) return 'no account exists yet';
    const due = `${next.step} of ${next.period}, due ${toIso(next.dueMs).slice(0, 16)}Z`;
    if (!clock.ok) return due;
    const left = next.dueMs - clock.value.businessNowMs;
    return left >= 0 ? `${due}, in ${formatDuration(left)}` : `${due}, ${formatDuration(-left)} ago`;
  });
}

function cases({ books, clock }: Standing): string {
  return known(books, ({ unsettled }) => {
    const [oldest] = unsettled;
    if (oldest === undefined) return 'none unsettled';
    const sums = [...Map.groupBy(unsettled, ({ currency }) => currency)].map(([currency, of]) =>
      formatMoney(
        of.reduce((sum, { amountMinor }) => sum + amountMinor, 0n),
        parseCurrency(currency),
      ),
    );
    const age = clock.ok ? ` for ${formatDuration(clock.value.businessNowMs - oldest.openedAtMs)}` : '';
    return `${unsettled.length} unsettled, ${sums.join(' + ')} in doubt; oldest: ${oldest.code} of ${oldest.account}${age}`;
  });
}

/** Told from the first seconds on; it blocks only when it lasts (blockers.ts). */
function longestWait(running: Workflows['running']): string {
  const [worst] = running
    .flatMap(({ id, stuck }) => (stuck === null ? [] : [{ id, ...stuck }]))
    .toSorted((a, b) => b.forMs - a.forMs);
  if (worst === undefined) return '';
  return `; ${worst.id} waits ${formatDuration(worst.forMs)} for ${worst.step}: ${worst.why}`;
}

/** `2 MANIFEST_MISSING, 1 BLOCK_GAP`. */
function countBy(names: readonly string[]): string {
  return [...Map.groupBy(names, (name) => name)].map(([name, members]) => `${members.length} ${name}`).join(', ');
}
