// Recorded workflow histories as JSON: what a replay looks at, and nothing of the machine they were made on.

import proto from '@temporalio/proto';

type History = proto.temporal.api.history.v1.IHistory;
const { History } = proto.temporal.api.history.v1;

/** Stacks, identities and process ids hold a machine's paths and names, which no replay looks at. */
const MACHINE_FIELDS = new Set(['stackTrace', 'identity', 'binaryChecksum']);

export function toHistoryJson(history: History): string {
  const plain = History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String });
  return `${JSON.stringify(withoutMachine(plain))}\n`;
}

export function fromHistoryJson(text: string): History {
  return History.fromObject(JSON.parse(text) as Record<string, unknown>);
}

function withoutMachine(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMachine);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !MACHINE_FIELDS.has(key));
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutMachine(member)]));
}
