// What tests do to the simulated Stripe besides billing through it: move its clocks and plant disagreements.

import { eventually } from '../../stack/testing/eventually.ts';

export type SimulatedStripe = {
  createClock(atMs: number): Promise<string>;
  /** Resolves when everything due by then has happened. */
  advanceClock(id: string, toMs: number): Promise<void>;
  plant(fault: Readonly<Record<string, unknown>>): Promise<void>;
  /** A read past the product's adapter, for what a test asserts. */
  get(path: string): Promise<Record<string, unknown>>;
  post(path: string, fields: Readonly<Record<string, string>>): Promise<Record<string, unknown>>;
};

export function createSimulatedStripe(url: string, key: string): SimulatedStripe {
  const call = async (method: string, path: string, body?: string) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await fetch(new URL(path, url), { method, headers, ...(body === undefined ? {} : { body }) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, unknown>;
  };
  const post = async (path: string, fields: Readonly<Record<string, string>>) =>
    call('POST', path, new URLSearchParams(fields).toString());
  const toSeconds = (atMs: number) => String(atMs / 1000);
  return {
    get: async (path) => call('GET', path),
    post,
    createClock: async (atMs) => {
      const clock = await post('/v1/test_helpers/test_clocks', { frozen_time: toSeconds(atMs) });
      return String(clock['id']);
    },
    advanceClock: async (id, toMs) => {
      await post(`/v1/test_helpers/test_clocks/${id}/advance`, { frozen_time: toSeconds(toMs) });
      await eventually(20_000, async () => {
        const clock = await call('GET', `/v1/test_helpers/test_clocks/${id}`);
        return clock['status'] === 'ready' ? clock : undefined;
      });
    },
    plant: async (fault) => {
      await call('POST', '/_admin/faults', JSON.stringify(fault));
    },
  };
}
