import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventually } from '../stack/testing/eventually.ts';
import { Lanes } from './lanes.ts';

type Item = { key: number; size: number; seq: number };

type Limits = { lanes: number; groupBytesMax: number; heldBytesMax: number; smallBytes: number };

/** Lanes whose groups end when the test says so. */
function controlled(limits: Partial<Limits> = {}) {
  const groups: { items: readonly Item[]; end: () => void; fail: (error: unknown) => void }[] = [];
  const failures: unknown[] = [];
  const lanes = new Lanes<Item>({
    lanes: limits.lanes ?? 2,
    groupBytesMax: limits.groupBytesMax ?? 10,
    heldBytesMax: limits.heldBytesMax ?? 100,
    smallBytes: limits.smallBytes ?? 0,
    lingerMs: 1,
    keyOf: ({ key }) => key,
    bytesOf: ({ size }) => size,
    write: async (items) => {
      await new Promise<void>((end, fail) => groups.push({ items, end, fail }));
    },
    onFailure: (error) => failures.push(error),
  });
  return { lanes, groups, failures };
}

const item = (key: number, seq: number, size = 1): Item => ({ key, seq, size });

test('the first item goes out at once, what arrives meanwhile goes out together', async () => {
  const { lanes, groups } = controlled({ lanes: 1 });
  for (const key of [0, 1, 2]) lanes.add(item(key, key));
  expect(groups.map(({ items }) => items.length)).toEqual([1]);
  groups[0]?.end();
  await lanes.changed();
  expect(groups.map(({ items }) => items.length)).toEqual([1, 2]);
});

test('what would be a small group waits for its neighbours, and for the group in flight', async () => {
  const { lanes, groups } = controlled({ smallBytes: 4 });
  lanes.add(item(0, 0));
  lanes.add(item(1, 1));
  expect(groups).toEqual([]);
  await eventually(5_000, () => groups[0]);
  expect(groups.map(({ items }) => items.length)).toEqual([2]);
  lanes.add(item(2, 2, 3));
  expect(groups).toHaveLength(1);
  lanes.add(item(3, 3));
  expect(groups[1]?.items).toEqual([item(2, 2, 3), item(3, 3)]);
  groups[0]?.end();
  await lanes.changed();
  lanes.add(item(4, 4));
  groups[1]?.end();
  await lanes.changed();
  expect(groups[2]?.items).toEqual([item(4, 4)]);
});

test('a key is never in two groups at once', async () => {
  const { lanes, groups } = controlled();
  lanes.add(item(7, 0));
  lanes.add(item(7, 1));
  expect(groups).toHaveLength(1);
  groups[0]?.end();
  await lanes.changed();
  expect(groups[1]?.items).toEqual([item(7, 1)]);
});

test('there is no room while too much is held, and again when it is written', async () => {
  const { lanes, groups } = controlled({ heldBytesMax: 5 });
  lanes.add(item(0, 0, 5));
  expect(lanes.hasRoom).toBe(false);
  groups[0]?.end();
  await lanes.changed();
  expect(lanes.hasRoom).toBe(true);
  expect(lanes.isIdle).toBe(true);
});

test('after a failure nothing is started any more, the failure is told once and nobody waits on', async () => {
  const { lanes, groups, failures } = controlled({ heldBytesMax: 2 });
  lanes.add(item(0, 0));
  lanes.add(item(1, 1));
  lanes.add(item(2, 2));
  groups[0]?.fail(new Error('first'));
  groups[1]?.fail(new Error('second'));
  await lanes.changed();
  expect(failures).toEqual([new Error('first')]);
  expect(groups).toHaveLength(2);
  expect(lanes.hasRoom && lanes.isIdle).toBe(true);
});

test('whatever the sizes and the order of ends, every item is written once and in order of its key', async () => {
  const anyItems = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 12 })), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(anyItems, fc.infiniteStream(fc.nat()), async (specs, choices) => {
      const { lanes, groups } = controlled();
      specs.forEach(([key, size], seq) => lanes.add({ key, size, seq }));
      const written: Item[] = [];
      while (groups.length > 0) {
        const index = Number(choices.next().value) % groups.length;
        const [group] = groups.splice(index, 1);
        expect(groups.length).toBeLessThan(2);
        written.push(...(group?.items ?? []));
        const changed = lanes.changed();
        group?.end();
        await changed;
      }
      expect(lanes.isIdle).toBe(true);
      expect(written.toSorted((a, b) => a.seq - b.seq)).toHaveLength(specs.length);
      for (const key of [0, 1, 2, 3]) {
        const order = written.filter((one) => one.key === key).map(({ seq }) => seq);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }
    }),
  );
});
