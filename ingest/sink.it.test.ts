// The sink on real servers. Each test has its own topic, databases and group.

import { afterEach, describe, expect, test } from 'vitest';
import { REJECT_REASONS } from '../domain/contracts/reject-reasons.ts';
import { eventually } from '../stack/testing/eventually.ts';
import { createIngestBench, usageRecord, type IngestBench } from './testing/bench.ts';
import { rejectedRecords } from './testing/rejected-records.ts';

const BASE_MS = Date.UTC(2026, 9, 3, 12);

let bench: IngestBench;
afterEach(async () => bench.close());

function records(count: number, from = 0) {
  return Array.from({ length: count }, (_, index) => usageRecord(from + index, { atMs: BASE_MS + index * 1_000 }));
}

describe('the sink', () => {
  test('stores every event once, in blocks whose ranges join without gaps', async () => {
    bench = await createIngestBench('blocks', 4);
    await bench.startSink();
    for (let round = 0; round < 5; round += 1) await bench.send(records(400, round * 400));
    await bench.untilCaughtUp();

    expect(await bench.fetchTotals()).toEqual({ events: '2000', quantity: '2000' });
    const blocks = await bench.fetchBlocks();
    const ends = await bench.kafka.fetchEndOffsets(bench.topic);
    for (const [partition, end] of ends.entries()) {
      let position = 0n;
      for (const block of blocks.filter((one) => one.partition === partition)) {
        expect(BigInt(block.first_offset)).toBe(position);
        position = BigInt(block.end_offset);
      }
      expect(position).toBe(end);
    }
    expect(blocks.reduce((sum, { messages }) => sum + messages, 0)).toBe(2_000);
  });

  test('marks the minutes it touched and no others, under blocks it recorded', async () => {
    bench = await createIngestBench('dirty', 2);
    await bench.startSink();
    await bench.send(records(180));
    await bench.untilCaughtUp();
    const [row] = await bench.databases.clickhouse.query<{ same: number; blocks: string[] }>(
      `SELECT (SELECT groupUniqArray(block) FROM usage_dirty_v1) AS blocks,
         (SELECT arraySort(groupUniqArray((namespace, toUnixTimestamp(minute)))) FROM usage_dirty_v1) =
         (SELECT arraySort(groupUniqArray((namespace, toUnixTimestamp(toStartOfMinute(time))))) FROM usage_events_v1) AS same`,
    );
    const recorded = (await bench.fetchBlocks()).map(({ block }) => block);
    expect(row?.same).toBe(1);
    expect(recorded).toEqual(expect.arrayContaining(row?.blocks ?? ['none']));
  });

  test('keeps and counts a record of every reject reason, a 900 kB line among them, and reads on', async () => {
    bench = await createIngestBench('rejects', 3);
    await bench.startSink();
    const rejected = rejectedRecords(BASE_MS);
    await bench.send([usageRecord(1, { atMs: BASE_MS }), ...rejected.map(({ record }) => record)]);
    await bench.send([usageRecord(2, { atMs: BASE_MS })]);
    await bench.untilCaughtUp();

    const kept = await bench.databases.clickhouse.query<{ reason: string; count: string }>(
      'SELECT reason, count() AS count FROM usage_rejected_v1 FINAL GROUP BY reason',
    );
    const expected = Map.groupBy(rejected, ({ reason }) => reason);
    expect(Object.fromEntries(kept.map(({ reason, count }) => [reason, Number(count)]))).toEqual(
      Object.fromEntries([...expected].map(([reason, members]) => [reason, members.length])),
    );
    expect([...expected.keys()].sort()).toEqual([...REJECT_REASONS].sort());
    expect((await bench.fetchTotals()).events).toBe('2');

    const payloads = await bench.databases.clickhouse.query<{ payload: string; payload_bytes: number }>(
      "SELECT payload, payload_bytes FROM usage_rejected_v1 FINAL WHERE reason = 'LINE_TOO_LARGE' ORDER BY payload_bytes",
    );
    expect(payloads.map(({ payload_bytes }) => payload_bytes)).toEqual([65_537, 900_000]);
    for (const { payload } of payloads) expect(Buffer.from(payload, 'base64')).toHaveLength(1024);
    const [unquantified] = await bench.databases.clickhouse.query<{ payload: string }>(
      "SELECT payload FROM usage_rejected_v1 FINAL WHERE reason = 'NOT_JSON' LIMIT 1",
    );
    expect(Buffer.from(unquantified?.payload ?? '', 'base64').toString()).toBe('heartbeat');
  });

  test('a line beyond what the topic takes is refused at the producer', async () => {
    bench = await createIngestBench('refused', 1);
    const line = { ...usageRecord(1, { atMs: BASE_MS }), value: Buffer.alloc(10_000_000, 'x') };
    await expect(bench.send([line])).rejects.toMatchObject({ kind: 'rejected' });
  });

  test('ids with tabs-to-be, backslashes and other scripts come back as they were sent', async () => {
    bench = await createIngestBench('ids', 1);
    await bench.startSink();
    const ids = ['\\', '\\N', '\\t', 'a\\nb', 'with space', 'zähler', '計算', '"quoted"', "'", '🜚'];
    await bench.send(ids.map((id) => usageRecord(0, { atMs: BASE_MS, id })));
    await bench.untilCaughtUp();
    const rows = await bench.databases.clickhouse.query<{ id: string }>('SELECT id FROM usage_events_v1');
    expect(rows.map(({ id }) => id).sort()).toEqual(ids.toSorted());
  });

  test('duplicates count once and the first copy wins, within a block and between blocks', async () => {
    bench = await createIngestBench('copies', 2);
    await bench.startSink();
    const first = records(50);
    await bench.send([...first, ...first]);
    await bench.untilCaughtUp();
    await bench.send(first);
    await bench.untilCaughtUp();
    expect(await bench.fetchTotals()).toEqual({ events: '50', quantity: '50' });
    const [row] = await bench.databases.clickhouse.query<{ late: string }>(
      'SELECT countIf(kafka_offset >= 50) AS late FROM usage_events_v1 FINAL',
    );
    expect(row?.late).toBe('0');
  });

  test('a replay from offset 0 changes no total', async () => {
    bench = await createIngestBench('replay', 3);
    await bench.send([...records(500), ...rejectedRecords(BASE_MS).map(({ record }) => record)]);
    await bench.startSink();
    await bench.untilCaughtUp();
    const before = { ...(await bench.fetchTotals()), rejects: await bench.countRejects() };
    await bench.stopSink();
    await bench.rewindGroup();
    await bench.startSink();
    const messages = async () => (await bench.fetchBlocks()).reduce((sum, block) => sum + block.messages, 0);
    await eventually(20_000, async () => ((await messages()) >= 2 * (500 + before.rejects) ? true : undefined));
    expect({ ...(await bench.fetchTotals()), rejects: await bench.countRejects() }).toEqual(before);
  });

  test('a graceful stop commits what is in hand, so that the next start stores nothing again', async () => {
    bench = await createIngestBench('stop', 2);
    await bench.startSink();
    await bench.send(records(3_000));
    await bench.untilCaughtUp();
    await bench.stopSink();
    const stored = (await bench.fetchBlocks()).length;
    await bench.startSink();
    await bench.send(records(10, 3_000));
    await bench.untilCaughtUp();
    const again = (await bench.fetchBlocks()).slice(stored).reduce((sum, { messages }) => sum + messages, 0);
    expect(again).toBe(10);
  });

  test('two sinks share a topic: each record is stored once and no range is missing', async () => {
    bench = await createIngestBench('two', 4);
    await bench.startSink();
    await bench.send(records(1_000));
    const second = await bench.startSink();
    for (let round = 1; round < 6; round += 1) await bench.send(records(500, 500 + round * 500));
    await bench.untilCaughtUp();
    await second.stop();
    await bench.send(records(500, 3_500));
    await bench.untilCaughtUp();
    expect(await bench.fetchTotals()).toEqual({ events: '4000', quantity: '4000' });
  });

  test('manifests are stored, the highest revision holds, and one that can not be read stops nothing', async () => {
    bench = await createIngestBench('manifests', 1);
    await bench.startManifestSink();
    const manifest = { source: '/cell/1', hour: '2026-10-03T12:00:00Z', events: 5, quantity: '5', revision: 1 };
    const line = (value: unknown) => ({ key: '/cell/1', value: JSON.stringify(value), timestampMs: BASE_MS });
    await bench.send([
      line(manifest),
      line('nonsense'),
      line({ ...manifest, revision: 2, events: 6, quantity: '6.5' }),
    ]);
    const row = await eventually(20_000, async () => {
      const rows = await bench.databases.clickhouse.query('SELECT * FROM usage_manifests_v1 FINAL');
      return rows.length > 0 ? rows[0] : undefined;
    });
    expect(row).toEqual({ source: '/cell/1', hour: '2026-10-03 12:00:00', revision: 2, events: '6', quantity: '6.5' });
  });
});
