// Manifests at the HTTP door, and what they are for: that usage which did not arrive is found.

import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import type { CloseDeps } from '../../aggregate/close.ts';
import { runIntegrity } from '../../aggregate/integrity/run.ts';
import { rollUpAll } from '../../aggregate/testing/roll-up.ts';
import type { AggregateTables } from '../../aggregate/tables.ts';
import { WAITS } from '../../domain/contracts/waits.ts';
import { HOUR_MS, toIso } from '../../domain/period.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { eventually } from '../../stack/testing/eventually.ts';
import { createDoorBench, type DoorBench, type Reply, type Sent } from './testing/bench.ts';
import { readManifestConformance } from './testing/conformance.ts';

const NOW_MS = Date.UTC(2026, 9, 3, 12);
const HOUR = toIso(NOW_MS - 3 * HOUR_MS);
const NDJSON = 'application/x-ndjson';

let bench: DoorBench;
afterEach(async () => bench.close());

function manifest(changes: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ source: '/cell/1', hour: HOUR, events: 2, quantity: '5', revision: 1, ...changes });
}

const post = async (body: string | Buffer, sent: Sent = {}): Promise<Reply> =>
  bench.post(body, { path: '/v1/manifests', type: 'application/json', ...sent });

/** The one hour of these tests is stored in this revision. */
const untilStored = async (revision: number) =>
  eventually(20_000, async () => {
    const statement = 'SELECT revision FROM usage_manifests_v1 FINAL';
    const [row] = await bench.ingest.databases.clickhouse.query<{ revision: number }>(statement);
    return row?.revision === revision ? true : undefined;
  });

describe('manifests at the door', () => {
  test('every form of body reaches the log byte for byte, keyed by its source and stamped with the arrival', async () => {
    bench = await createDoorBench('manifest_forms', { nowMs: NOW_MS });
    const spaced = manifest({ revision: 2 }).replace('"events":2', '"events" : 2');
    const replies = [
      await post(manifest()),
      await post(` [ ${spaced} ,\n${manifest({ revision: 3 })}]`, { type: 'application/json; charset=utf-8' }),
      await post(`${manifest({ revision: 4 })}\n\n${manifest({ revision: 5 })}\r\n`, { type: NDJSON }),
      await post(gzipSync(manifest({ revision: 6 })), { headers: { 'content-encoding': 'gzip' } }),
    ];
    expect(replies.map(({ status, body }) => [status, body.accepted])).toEqual([1, 2, 2, 1].map((n) => [200, n]));
    expect(replies[0]?.body.outcomes).toEqual([
      { index: 0, source: '/cell/1', hour: HOUR, revision: 1, outcome: 'accepted' },
    ]);
    const log = await bench.fetchLog(6, bench.manifestTopic);
    const sent = [manifest(), spaced, ...[3, 4, 5, 6].map((revision) => manifest({ revision }))];
    expect(log).toEqual(sent.map((value) => ({ key: '/cell/1', value, timestampMs: NOW_MS })));
  });

  test('what the door accepted, the sink stores, and what it refused is not in the log', async () => {
    bench = await createDoorBench('manifest_cases', { nowMs: NOW_MS });
    const cases = readManifestConformance();
    const seen: [string, string, string | null | undefined][] = [];
    for (const { name, bytes } of cases) {
      const { status, body } = await post(bytes);
      const [outcome] = body.outcomes ?? [];
      seen.push([name, outcome?.code ?? outcome?.outcome ?? 'none', outcome?.field ?? undefined]);
      const refused = outcome?.code === 'LINE_TOO_LARGE' ? 413 : 422;
      expect([name, status]).toEqual([name, outcome?.outcome === 'accepted' ? 200 : refused]);
    }
    expect(seen).toEqual(cases.map(({ name, expect: expected, field }) => [name, expected, field]));
    const accepted = cases.filter(({ expect: expected }) => expected === 'accepted').length;
    expect(await bench.ingest.kafka.fetchEndOffsets(bench.manifestTopic)).toEqual([BigInt(accepted)]);
    await bench.ingest.startManifestSink(bench.manifestTopic);
    const last = JSON.parse(manifest({ hour: '2026-10-03T12:00:00Z', revision: 4_294_967_295 })) as {
      revision: number;
    };
    await eventually(20_000, async () => {
      const [row] = await bench.ingest.databases.clickhouse.query<{ revision: number }>(
        'SELECT revision FROM usage_manifests_v1 FINAL',
      );
      return row?.revision === last.revision ? true : undefined;
    });
  });

  test('a key speaks for its source only; a mixed request is answered one by one', async () => {
    bench = await createDoorBench('manifest_scope', { nowMs: NOW_MS });
    const foreign = await post(manifest({ source: '/cell/2' }));
    expect([foreign.status, foreign.body.code, foreign.body.field]).toEqual([403, 'MANIFESTS_FORBIDDEN', 'source']);
    expect(foreign.body.outcomes).toEqual([
      {
        index: 0,
        source: '/cell/2',
        hour: HOUR,
        revision: 1,
        outcome: 'rejected',
        code: 'SOURCE_NOT_ALLOWED',
        message: expect.any(String),
        field: 'source',
        retryable: false,
        next: expect.stringContaining('key of that source'),
      },
    ]);
    const lines = [manifest(), manifest({ source: '/cell/2' }), 'nonsense', manifest({ hour: 'noon' })];
    const { status, body } = await post(lines.join('\n'), { type: NDJSON });
    expect([status, body.accepted, body.rejected]).toEqual([207, 1, 3]);
    expect(body.outcomes?.map(({ code }) => code)).toEqual([
      undefined,
      'SOURCE_NOT_ALLOWED',
      'NOT_JSON',
      'ATTRIBUTE_INVALID',
    ]);
    expect(body.outcomes?.[2]).toMatchObject({ source: '', hour: '', revision: null });
    expect(body.outcomes?.[3]).toMatchObject({ field: 'hour', next: expect.stringContaining('2026-10-03T12:00:00Z') });
    expect(await bench.ingest.kafka.fetchEndOffsets(bench.manifestTopic)).toEqual([1n]);
  });

  test('limits and refusals are those of events, with the same shape', async () => {
    bench = await createDoorBench('manifest_shape', { nowMs: NOW_MS, limits: { bodyBytesMax: 100_000, eventsMax: 3 } });
    const many = [1, 2, 3, 4].map((revision) => manifest({ revision })).join('\n');
    const cases = [
      [await post(manifest(), { key: '' }), 401, 'KEY_MISSING'],
      [await post('', { method: 'GET' }), 405, 'METHOD_NOT_ALLOWED'],
      [await post(manifest(), { type: 'application/cloudevents+json' }), 415, 'CONTENT_TYPE_UNSUPPORTED'],
      [await post(manifest(), { headers: { 'content-encoding': 'br' } }), 415, 'CONTENT_ENCODING_UNSUPPORTED'],
      [await post('[]'), 400, 'BODY_INVALID'],
      [await post(`[${manifest()}`), 400, 'BODY_INVALID'],
      [await post('\n\n', { type: NDJSON }), 400, 'BODY_INVALID'],
      [await post('x'.repeat(100_001)), 413, 'BODY_TOO_LARGE'],
      [await post(many, { type: NDJSON }), 413, 'TOO_MANY_MANIFESTS'],
      [await post(manifest({ padding: 'x'.repeat(65_536) })), 413, 'MANIFEST_TOO_LARGE'],
      [await post(manifest({ events: -1 })), 422, 'MANIFESTS_REJECTED'],
    ] as const;
    for (const [{ status, body }, expectedStatus, code] of cases) {
      expect([status, body.code]).toEqual([expectedStatus, code]);
      expect(body).toMatchObject({ message: expect.any(String), next: expect.any(String), retryable: false });
    }
    expect(cases[2][0].headers.get('accept-post')).toBe('application/json, application/x-ndjson');
    expect(await bench.ingest.kafka.fetchEndOffsets(bench.manifestTopic)).toEqual([0n]);
  });

  test('success waits for the broker, and beyond its time the sender is told to come back', async () => {
    const gate = Promise.withResolvers<void>();
    const between = async (send: () => Promise<void>) => gate.promise.then(send);
    bench = await createDoorBench('manifest_stuck', { nowMs: NOW_MS, ackTimeoutMs: 500, between });
    const { status, body, headers } = await post(manifest());
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'NOT_ACKNOWLEDGED', '2']);
    // Traffic is not sent elsewhere because of manifests.
    expect((await post('', { path: '/health', method: 'GET' })).status).toBe(200);
    gate.resolve();
    expect((await post(manifest())).status).toBe(200);
  });
});

describe('a source that only speaks HTTP', () => {
  /** Findings about manifests, once the hour is due. */
  const look = async (deps: CloseDeps) => {
    const options = { nowMs: NOW_MS + WAITS.manifestDueMs, secondLookMs: 0 };
    await runIntegrity(deps, options);
    const { findings, failed } = await runIntegrity(deps, options);
    expect(failed).toEqual([]);
    const about = findings.filter(({ kind }) => /MANIFEST|SHORT/.test(kind));
    return about.map(({ kind, key, state, evidence: { said, came } }) => ({ kind, key, state, said, came }));
  };

  const announce = async (changes: Readonly<Record<string, unknown>> & { readonly revision: number }) => {
    expect((await post(manifest(changes))).status).toBe(200);
    await untilStored(changes.revision);
  };

  test('has a finding without a manifest, none with a true one, and is found short when it announced more', async () => {
    bench = await createDoorBench('manifest_whole', { nowMs: NOW_MS });
    const { ingest } = bench;
    const db = createPostgres<AggregateTables>(ingest.databases.postgresUrl);
    const fetchEndOffsets = async () => ingest.kafka.fetchEndOffsets(ingest.topic);
    const deps: CloseDeps = { clickhouse: ingest.databases.clickhouse, db, topic: ingest.topic, fetchEndOffsets };
    try {
      await ingest.startSink();
      await ingest.startManifestSink(bench.manifestTopic);
      const time = toIso(NOW_MS - 3 * HOUR_MS + 60_000);
      const good = { specversion: '1.0', source: '/cell/1', type: 'query', subject: 'payments.acme', time };
      const lines = [
        { ...good, id: 'a', quantity: '4' },
        { ...good, id: 'a', quantity: '4' },
        { ...good, id: 'b' },
        { ...good, id: 'c', type: 'void', voids: 'b' },
        { ...good, id: 'd', quantity: '-1' },
      ];
      const { status } = await bench.post(lines.map((line) => JSON.stringify(line)).join('\n'), { type: NDJSON });
      expect(status).toBe(207);
      await ingest.untilCaughtUp();
      await rollUpAll(deps);

      const key = `/cell/1 ${HOUR}`;
      expect(await look(deps)).toEqual([{ kind: 'MANIFEST_MISSING', key, state: 'OPEN', said: '0', came: '3' }]);
      // Two events and a void; the copy and what the door refused are not among them.
      await announce({ events: 3, quantity: '5', revision: 1 });
      expect(await look(deps)).toEqual([]);
      await announce({ events: 4, quantity: '6', revision: 2 });
      expect(await look(deps)).toEqual([{ kind: 'SOURCE_SHORT', key, state: 'OPEN', said: '4', came: '3' }]);
      await announce({ events: 3, quantity: '5', revision: 3 });
      expect(await look(deps)).toEqual([]);
    } finally {
      await db.destroy();
    }
  }, 120_000);
});
