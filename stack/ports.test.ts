import { expect, test } from 'vitest';
import { reservePort } from './ports.ts';

test('a reserved port is taken until it is released, and free afterwards', async () => {
  const first = await reservePort();
  const second = await reservePort(first.port);
  expect(second.port).not.toBe(first.port);
  await Promise.all([first.release(), second.release()]);
  const again = await reservePort(first.port);
  expect(again.port).toBe(first.port);
  await again.release();
});

test('ports lie below those that the kernel gives to clients', async () => {
  const { port, release } = await reservePort();
  await release();
  expect(port).toBeLessThan(32_768);
});
