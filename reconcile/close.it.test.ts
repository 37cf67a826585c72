import { afterEach, describe, expect, test } from 'vitest';
import { createCloseWorld, type CloseWorld, type WorldAccount } from './testing/close-world.ts';

const MILLION = 10_000_000n;
let world: CloseWorld;
afterEach(async () => world.end());

const alpha: WorldAccount = {
  name: 'alpha',
  plan: 'business',
  usage: { actions: 25_000_000n + 11n * MILLION + MILLION / 4n, active_storage: 2_000_000n, retained_storage: 5_000n },
};
const beta: WorldAccount = { name: 'beta', plan: 'developer', usage: { actions: 100_000n } };

describe('the close of a period', () => {
  test('finalizes what agrees, to the cent of the golden amounts, and reports no difference', async () => {
    world = await createCloseWorld([alpha, beta]);
    await world.startWorker();
    const report = await world.close();
    expect(report.verdict).toMatchObject({ result: 'clean', billed: 2, openBreaks: 0, unexplained: 0 });
    expect(
      report.accounts.map(({ account, totalMinor, invoicedMinor }) => [account, totalMinor, invoicedMinor]),
    ).toEqual([
      [world.id('alpha'), '103088', '103088'],
      [world.id('beta'), '55', '55'],
    ]);
  });
});
