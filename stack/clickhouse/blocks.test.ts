import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutAtLines, isInlineSafe } from './blocks.ts';

async function cut(chunks: readonly Buffer[], blockBytes: number): Promise<string[]> {
  const blocks: string[] = [];
  for await (const block of cutAtLines(Readable.from(chunks), blockBytes)) blocks.push(block.toString());
  return blocks;
}

test('blocks end at line ends and hold every byte once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 20 })),
      fc.integer({ min: 1, max: 12 }),
      async (texts, blockBytes) => {
        const chunks = texts.filter((text) => text !== '').map((text) => Buffer.from(text));
        const blocks = await cut(chunks, blockBytes);
        expect(blocks.join('')).toBe(texts.join(''));
        expect(blocks.slice(0, -1).every((block) => block.endsWith('\n'))).toBe(true);
      },
    ),
  );
});

test('a block is no longer than asked unless one row is', async () => {
  expect(await cut([Buffer.from('aa\nbb\ncccccc\nd\n')], 6)).toEqual(['aa\nbb\n', 'cccccc\n', 'd\n']);
});

test('a source that breaks gives whole rows and then its error', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('aaaa\nbb');
    throw new Error('cut');
  }
  const blocks: string[] = [];
  const reading = (async () => {
    for await (const block of cutAtLines(broken(), 4)) blocks.push(block.toString());
  })();
  await expect(reading).rejects.toThrow('cut');
  expect(blocks).toEqual(['aaaa\n']);
});

test('data with an empty line never goes inline, where the engine would take the rest for a statement', () => {
  expect(
    ['a\nb\n', '', '\na', 'a\n\nDROP TABLE t', 'a\r\n\r\nb'].map((text) => isInlineSafe(Buffer.from(text))),
  ).toEqual([true, false, false, false, true]);
});
