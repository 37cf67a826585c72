import { describe, expect, test } from 'vitest';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { DAY_MS, parsePeriod } from '../../domain/period.ts';
import { PLANS } from '../../domain/price-book.ts';
import { list, listen, type Seen } from '../testing/recorded-stripe.ts';
import { toHalfOpenEnd } from './stripe-lines.ts';

const period = parsePeriod('2026-10');
const ref = { account: 'acme', customer: 'cus_1' };
const hourAt = (quantity: bigint) => ({ meter: 'actions' as const, hourAtMs: period.startAtMs, quantity });
const meters = list([{ id: 'mtr_1', object: 'billing.meter', event_name: 'actions', status: 'active' }]);
const summary = (aggregated_value: number) =>
  list([{ id: 's', object: 'billing.meter_event_summary', aggregated_value }]);

describe('pushing hours', () => {
  test('sends a hundred events a request, each with the hour it belongs to and without an identifier', async () => {
    const { billing, seen } = await listen(() => ({ body: { authentication_token: 'token_1' } }));
    const values = Array.from({ length: 250 }, (_, index) => ({
      ...hourAt(5n),
      hourAtMs: period.startAtMs + index * 3_600_000,
    }));
    await billing.pushHours(ref, values, period.endAtMs);
    const sent = seen
      .filter(({ path }) => path.includes('stream'))
      .map(({ body }) => JSON.parse(body) as { events: unknown[] });
    expect(sent.map(({ events }) => events.length)).toEqual([100, 100, 50]);
    expect(sent[0]?.events[0]).toEqual({
      event_name: 'actions',
      identifier: expect.stringMatching(/^cus_1\.actions\.1790812800\.[0-9a-f]{12}$/) as string,
      timestamp: '2026-10-01T00:00:00.000Z',
      payload: { stripe_customer_id: 'cus_1', value: '5' },
    });
  });

  test('renews a session that ran out and sends the same events again', async () => {
    let sessions = 0;
    const { billing, seen } = await listen(({ path, headers }) => {
      if (path.includes('session')) {
        sessions += 1;
        return { body: { authentication_token: `token_${sessions}` } };
      }
      const expired = headers.authorization === 'Bearer token_1';
      const error = { code: 'billing_meter_event_session_expired', type: 'temporary_session_expired', message: 'x' };
      return expired ? { status: 401, body: { error } } : { body: {} };
    });
    await billing.pushHours(ref, [hourAt(5n)], period.endAtMs);
    const streamed = seen.filter(({ path }) => path.includes('stream'));
    expect(streamed.map(({ headers }) => headers.authorization)).toEqual(['Bearer token_1', 'Bearer token_2']);
    expect(streamed[0]?.body).toBe(streamed[1]?.body);
  });

  test('refuses a value of 16 digits loudly and sends nothing of the call', async () => {
    const { billing, seen } = await listen(() => ({ body: {} }));
    const attempt = billing.pushHours(ref, [hourAt(1n), hourAt(10n ** 15n)], period.endAtMs);
    await expect(attempt).rejects.toMatchObject({ kind: 'rejected', code: 'QUANTITY_TOO_LARGE' });
    expect(seen).toEqual([]);
  });

  test('refuses an hour that is too old to be metered instead of stamping it younger', async () => {
    const { billing } = await listen(() => ({ body: {} }));
    const inTime = period.startAtMs + 34 * DAY_MS;
    await expect(billing.pushHours(ref, [hourAt(1n)], inTime + 1)).rejects.toMatchObject({ kind: 'rejected' });
  });
});

describe('every call', () => {
  test('waits for its turn, the pages of a list too, but for usage on the stream', async () => {
    let turns = 0;
    const { billing, seen } = await listen(
      ({ path }) => {
        if (path.includes('session')) return { body: { authentication_token: 'token_1' } };
        if (path.includes('stream')) return { body: {} };
        if (!path.includes('summaries')) return meters;
        const more = !path.includes('starting_after');
        const body = {
          object: 'list',
          data: [{ id: more ? 's1' : 's2', aggregated_value: 1 }],
          has_more: more,
          url: '/',
        };
        return { body };
      },
      async () => Promise.resolve(void (turns += 1)),
    );
    await billing.fetchHourSummaries(ref, 'actions', period);
    await billing.pushHours(ref, [hourAt(5n)], period.endAtMs);
    expect(seen).toHaveLength(5);
    expect(turns).toBe(4);
  });

  test('that gets no turn fails as what it is, and nothing is sent', async () => {
    const none = new TrueupError({ kind: 'unavailable', code: 'STRIPE_RATE_LIMITED', message: 'no turn' });
    const { billing, seen } = await listen(
      () => ({ body: {} }),
      async () => Promise.reject(none),
    );
    await expect(billing.fetchInvoice('in_1')).rejects.toBe(none);
    expect(seen).toEqual([]);
  });
});

describe('reading summaries', () => {
  test('takes a total up to 2^53 and refuses one that JSON can no longer hold', async () => {
    let value = Number.MAX_SAFE_INTEGER;
    const { billing } = await listen(({ path }) => (path.includes('summaries') ? summary(value) : meters));
    expect(await billing.fetchSummary(ref, 'actions', period)).toBe(9_007_199_254_740_991n);
    value = 2 ** 53;
    await expect(billing.fetchSummary(ref, 'actions', period)).rejects.toMatchObject({ kind: 'bug' });
  });

  test('never takes a failed read for zero', async () => {
    const failing = { status: 500, body: { error: { type: 'api_error', message: 'x' } } };
    const { billing } = await listen(({ path }) => (path.includes('summaries') ? failing : meters));
    await expect(billing.fetchSummary(ref, 'actions', period)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('asks for the half-open period in seconds', async () => {
    const { billing, seen } = await listen(({ path }) => (path.includes('summaries') ? summary(0) : meters));
    await billing.fetchSummary(ref, 'actions', period);
    expect(seen.at(-1)?.path).toContain('start_time=1790812800');
    expect(seen.at(-1)?.path).toContain('end_time=1793491200');
  });
});

describe('a write', () => {
  const draft = { id: 'in_1', object: 'invoice', status: 'draft' };
  const keysOf = (seen: Seen[]) =>
    seen.filter(({ method }) => method === 'POST').map(({ headers }) => headers['idempotency-key']);

  test('has a key of business identity and is not sent when its effect is there', async () => {
    const { billing, seen } = await listen(() => ({ body: { ...draft, status: 'open' } }));
    await billing.finalize('in_1');
    expect(keysOf(seen)).toEqual([]);
  });

  const failed = { status: 500, body: { error: { type: 'api_error', message: 'x' } } };

  test('that meets a stored 500 looks for the truth, and takes a new key only when the old one is burnt', async () => {
    const { billing, seen } = await listen(({ method, headers }) => {
      if (method === 'GET') return { body: draft };
      if (headers['idempotency-key'] !== 'finalize-in_1') return { body: draft };
      const sent = keysOf(seen).length;
      return sent === 1 ? failed : { ...failed, headers: { 'idempotent-replayed': 'true' } };
    });
    await billing.finalize('in_1');
    expect(seen.map(({ method }) => method)).toEqual(['GET', 'POST', 'GET', 'POST', 'GET', 'POST']);
    expect(keysOf(seen)).toEqual(['finalize-in_1', 'finalize-in_1', 'finalize-in_1-r2']);
  });

  test('that keeps failing without being stored keeps its key and waits for a later try', async () => {
    const { billing, seen } = await listen(({ method }) => (method === 'GET' ? { body: draft } : failed));
    await expect(billing.finalize('in_1')).rejects.toMatchObject({ kind: 'unavailable' });
    expect(keysOf(seen)).toEqual(['finalize-in_1', 'finalize-in_1']);
  });

  test('is not repeated by the SDK: retrying is the workflow engine’s', async () => {
    const { billing, seen } = await listen(({ method }) =>
      method === 'GET' ? { body: draft } : { status: 429, body: { error: { type: 'rate_limit_error', message: 'x' } } },
    );
    await expect(billing.finalize('in_1')).rejects.toMatchObject({ kind: 'unavailable', code: 'STRIPE_RATE_LIMITED' });
    expect(keysOf(seen)).toEqual(['finalize-in_1']);
  });
});

test.each([
  ['usd', undefined],
  ['eur', { kind: 'bug', code: 'INVARIANT_BROKEN' }],
])('a price that Stripe has in %s is taken for one in usd only if it is', async (currency, refusal) => {
  const price = PLANS.developer.prices.actions;
  const { billing, seen } = await listen(() => list([{ id: 'price_1', object: 'price', currency }]));
  const attempt = billing.ensurePrice(price, 'usd');
  await (refusal === undefined ? attempt : expect(attempt).rejects.toMatchObject(refusal));
  expect(seen.map(({ method }) => method)).toEqual(['GET']);
});

test('a line period that ends at the last second of the month ends where the month ends', () => {
  expect(toHalfOpenEnd(1_793_491_199)).toBe(period.endAtMs);
  expect(toHalfOpenEnd(1_793_491_200)).toBe(period.endAtMs);
});
