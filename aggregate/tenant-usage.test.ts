import { describe, expect, test } from 'vitest';
import { eventually } from '../stack/testing/eventually.ts';
import { computeIncrements, startLooks } from './tenant-usage.ts';

const day = (date: string, counts: Record<string, number>) => ({ day: date, counts: new Map(Object.entries(counts)) });

describe('what tenants added since the last look', () => {
  test('is the difference of the day’s counts', () => {
    const added = computeIncrements(
      day('2026-10-01', { acme: 5, bolt: 2 }),
      day('2026-10-01', { acme: 9, bolt: 2, cove: 1 }),
    );
    expect(Object.fromEntries(added)).toEqual({ acme: 4, cove: 1 });
  });

  test('starts from nothing on a new day', () => {
    const added = computeIncrements(day('2026-10-01', { acme: 5 }), day('2026-10-02', { acme: 2 }));
    expect(Object.fromEntries(added)).toEqual({ acme: 2 });
  });

  test('never shrinks a counter when usage is taken back', () => {
    expect(computeIncrements(day('2026-10-01', { acme: 5 }), day('2026-10-01', { acme: 3 })).size).toBe(0);
  });
});

describe('looks', () => {
  const rest = () => undefined;

  test('go on behind one that failed, which is logged, and never two at a time', async () => {
    const said: unknown[] = [];
    const log = { warn: (about: unknown) => void said.push(about) };
    let [begun, running, most] = [0, 0, 0];
    const look = async () => {
      begun += 1;
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      if (begun % 2 === 1) throw new Error(`look ${begun} failed`);
    };
    const looks = startLooks({ usage: { look, rest }, everyMs: 1, isMine: () => true, log });
    await eventually(30_000, () => (begun >= 6 ? true : undefined));
    await looks.close();
    const looked = begun;
    expect({ running, most }).toEqual({ running: 0, most: 1 });
    expect(said.slice(0, 2)).toMatchObject([{ error: 'Error: look 1 failed' }, { error: 'Error: look 3 failed' }]);
    await new Promise(setImmediate);
    expect(begun).toBe(looked);
  });

  test('do not wait for their time when they are told to stop', async () => {
    let begun = 0;
    const look = async () => Promise.resolve(void (begun += 1));
    const log = { warn: () => undefined };
    const looks = startLooks({ usage: { look, rest }, everyMs: 86_400_000, isMine: () => true, log });
    await looks.close();
    expect(begun).toBe(1);
  });

  test('rest while it is another process’ turn, and are due at once when it is theirs', async () => {
    const done: string[] = [];
    let mine = false;
    const usage = {
      look: async () => Promise.resolve(void done.push('look')),
      rest: () => void done.push('rest'),
    };
    const looks = startLooks({ usage, everyMs: 1, isMine: () => mine, log: { warn: () => undefined } });
    await eventually(30_000, () => (done.length > 2 ? true : undefined));
    expect(done).not.toContain('look');
    mine = true;
    await eventually(30_000, () => (done.includes('look') ? true : undefined));
    await looks.close();
  });
});
