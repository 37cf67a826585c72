// Whether what this room promised gets done: what /readyz of its worker asks. A queue is well while its oldest message is
// young, however long it is.

import type { Check } from '../../platform/health.ts';
import type { Outbox } from './outbox.ts';
import type { Workflows } from './running-workflows.ts';

type Options<Standing> = { readonly limitMs: number; readonly fetch: () => Promise<Standing> };

export function createOutboxCheck({ limitMs, fetch }: Options<Outbox>): Check {
  return async () => {
    const late = Object.entries(await fetch()).filter(([, { oldestDueMs }]) => oldestDueMs > limitMs);
    if (late.length === 0) return null;
    return late
      .map(
        ([queue, { messages, oldestDueMs }]) => `${queue}: ${messages} wait, the oldest for ${inSeconds(oldestDueMs)}`,
      )
      .join('; ');
  };
}

export function createWorkflowsCheck({ limitMs, fetch }: Options<Workflows>): Check {
  return async () => {
    const stuck = (await fetch()).running.flatMap(({ id, stuck: step }) =>
      step !== null && step.forMs > limitMs ? [{ id, ...step }] : [],
    );
    const [worst] = stuck.toSorted((a, b) => b.forMs - a.forMs);
    if (worst === undefined) return null;
    const others = stuck.length === 1 ? '' : `, and ${stuck.length - 1} more`;
    return `${worst.id}: ${worst.step} for ${inSeconds(worst.forMs)} (${worst.why})${others}`;
  };
}

function inSeconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
