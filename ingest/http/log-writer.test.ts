import { describe, expect, test } from 'vitest';
import type { OutgoingRecord } from '../../platform/kafka.ts';
import { createLogWriter } from './log-writer.ts';

const record = (name: string, bytes = 10): OutgoingRecord => ({
  key: name,
  value: Buffer.alloc(bytes, name),
  timestampMs: 0,
});
const names = (records: readonly OutgoingRecord[]) => records.map(({ key }) => String(key)).join('');

/** A broker that acknowledges when told to. */
function createBroker() {
  const sends: string[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  return {
    sends,
    gates,
    send: async (records: readonly OutgoingRecord[]) => {
      sends.push(names(records));
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
    },
  };
}

const turns = async () => new Promise((resolve) => setImmediate(resolve));

describe('the log writer', () => {
  test('puts what comes during a send into the next one, in order, and acknowledges each with its own send', async () => {
    const broker = createBroker();
    const writer = createLogWriter({ send: broker.send, ackTimeoutMs: 60_000 });
    const acked: string[] = [];
    const appends = ['a', 'b', 'c'].map(async (name) => {
      await writer.append([record(name)]).acked;
      acked.push(name);
    });
    await turns();
    expect(broker.sends).toEqual(['abc']);
    void writer.append([record('d')]);
    void writer.append([record('e')]);
    await turns();
    expect([broker.sends, acked]).toEqual([['abc'], []]);
    broker.gates[0]?.resolve();
    await Promise.all(appends);
    await turns();
    expect([broker.sends, acked]).toEqual([
      ['abc', 'de'],
      ['a', 'b', 'c'],
    ]);
    broker.gates[1]?.resolve();
    await writer.drain();
  });

  test('no send is larger than a group unless one record alone is, and a request that spans sends waits for all', async () => {
    const broker = createBroker();
    const writer = createLogWriter({ send: broker.send, ackTimeoutMs: 60_000, groupBytesMax: 300 });
    let done = false;
    const { acked } = writer.append(['a', 'b', 'c', 'd'].map((name) => record(name, name === 'c' ? 500 : 80)));
    const waited = acked.then(() => {
      done = true;
    });
    for (const [index, expected] of ['ab', 'c', 'd'].entries()) {
      await turns();
      expect(broker.sends[index]).toBe(expected);
      expect(done).toBe(false);
      broker.gates[index]?.resolve();
    }
    await waited;
  });

  test('a failed send fails its requests and not the next ones', async () => {
    const broker = createBroker();
    const writer = createLogWriter({ send: broker.send, ackTimeoutMs: 60_000 });
    const first = writer.append([record('a')]);
    await turns();
    const second = writer.append([record('b')]);
    broker.gates[0]?.reject(new Error('no leader'));
    await expect(first.acked).rejects.toThrow('no leader');
    await first.settled;
    await turns();
    broker.gates[1]?.resolve();
    await second.acked;
  });

  test('late: what was not being sent is dropped at once, what was is held until its send has ended', async () => {
    const broker = createBroker();
    const writer = createLogWriter({ send: broker.send, ackTimeoutMs: 30 });
    const sending = writer.append([record('a')]);
    await turns();
    const queued = writer.append([record('b')]);
    await expect(queued.acked).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(sending.acked).rejects.toMatchObject({ kind: 'unavailable' });
    await queued.settled;
    let released = false;
    const release = sending.settled.then(() => {
      released = true;
    });
    await turns();
    expect(released).toBe(false);
    expect(writer.waitingMs()).toBeGreaterThan(20);
    broker.gates[0]?.resolve();
    await release;
    await writer.drain();
    expect(broker.sends).toEqual(['a']);
    expect(writer.waitingMs()).toBe(0);
  });

  test('an append of nothing is acknowledged without a send', async () => {
    const broker = createBroker();
    await createLogWriter({ send: broker.send, ackTimeoutMs: 1 }).append([]).acked;
    expect(broker.sends).toEqual([]);
  });
});
