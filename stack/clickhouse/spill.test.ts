import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { memoryFolderOf, Spill } from './spill.ts';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'trueup-spill-'));
});
afterEach(() => {
  for (const folder of [data, memoryFolderOf(data)]) rmSync(folder, { recursive: true, force: true });
});

const body = Buffer.from('one\ntwo\n');
async function* pieces(...some: (Buffer | Error)[]): AsyncGenerator<Buffer> {
  for (const one of some) {
    if (one instanceof Error) throw one;
    yield one;
  }
}
const left = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []);

test('a body lies where it was written, whether it came whole or in pieces', async () => {
  const spill = new Spill(data);
  expect(readFileSync(await spill.write(body))).toEqual(body);
  expect(readFileSync(await spill.write(pieces(body, body)))).toEqual(Buffer.concat([body, body]));
});

test('memory that takes nothing any more gives way to the data folder', async () => {
  const spill = new Spill(data);
  rmSync(memoryFolderOf(data), { recursive: true, force: true });
  writeFileSync(memoryFolderOf(data), '');
  const path = await spill.write(body);
  expect(path).toContain(join(data, 'spill'));
  expect(readFileSync(path)).toEqual(body);
});

test('a body that breaks off leaves nothing behind', async () => {
  const spill = new Spill(data);
  await expect(spill.write(pieces(body, new Error('gone')))).rejects.toThrow('gone');
  expect(left(join(data, 'spill'))).toEqual([]);
});

test('what a killed process left is cleared by the next one on the same folder, and by no other', async () => {
  await new Spill(data).write(body);
  await new Spill(data).write(pieces(body));
  const other = mkdtempSync(join(tmpdir(), 'trueup-spill-'));
  new Spill(other).close();
  rmSync(other, { recursive: true });
  expect([...left(memoryFolderOf(data)), ...left(join(data, 'spill'))]).toHaveLength(1);
  new Spill(data).close();
  expect([...left(memoryFolderOf(data)), ...left(join(data, 'spill'))]).toEqual([]);
});
