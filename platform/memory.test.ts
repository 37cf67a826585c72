import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Memory } from './memory.ts';

const MIB = 1024 * 1024;

describe('memory', () => {
  test('is never in two hands, however pieces are taken and given back', () => {
    const size = fc.integer({ min: 1, max: 2 * MIB });
    const step = fc.oneof(
      size.map((bytes) => ({ bytes })),
      fc.nat().map((which) => ({ which })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const held: { memory: Memory; bytes: Buffer; mark: number }[] = [];
        for (const [index, one] of steps.entries()) {
          if ('bytes' in one) {
            const memory = new Memory(one.bytes);
            const bytes = memory.bytes(one.bytes);
            const mark = (index % 255) + 1;
            bytes[0] = mark;
            bytes[bytes.length - 1] = mark;
            held.push({ memory, bytes, mark });
          } else {
            const [given] = held.splice(one.which % Math.max(1, held.length), 1);
            given?.memory.giveBack();
          }
          for (const { bytes, mark } of held) expect([bytes[0], bytes.at(-1)]).toEqual([mark, mark]);
        }
        for (const { memory } of held) memory.giveBack();
      }),
      { numRuns: 50 },
    );
  });

  test('is used again for about as much, as it was left', () => {
    const first = new Memory(5 * MIB);
    const bytes = first.bytes(5 * MIB);
    bytes.fill(7);
    first.giveBack();
    const larger = new Memory(11 * MIB);
    const again = new Memory(4 * MIB);
    expect(again.bytes(1).buffer).toBe(bytes.buffer);
    expect(again.uint8(1)[0]).toBe(7);
    for (const one of [larger, again]) one.giveBack();
  });

  test('is cut into arrays that do not touch, at places their numbers may lie', () => {
    const memory = new Memory(1 + 8 + 8 + 4 + 4);
    memory.uint8(1)[0] = 1;
    const numbers = memory.float64(1);
    const words = memory.uint32(2);
    numbers[0] = 0.1;
    words.set([2, 3]);
    expect([numbers[0], ...words]).toEqual([0.1, 2, 3]);
    expect(() => memory.uint32(1)).toThrow(RangeError);
  });

  test('is given back once and not used afterwards', () => {
    const memory = new Memory(MIB);
    memory.giveBack();
    expect(() => memory.giveBack()).toThrow('twice');
    expect(() => memory.uint8(1)).toThrow('given back');
  });

  test('waits for others only up to a limit', () => {
    const pieces = Array.from({ length: 40 }, () => new Memory(6 * MIB));
    const buffers = pieces.map((memory) => memory.bytes(1).buffer);
    for (const memory of pieces) memory.giveBack();
    const again = new Set(Array.from({ length: 40 }, () => new Memory(6 * MIB).bytes(1).buffer));
    const used = buffers.filter((buffer) => again.has(buffer)).length;
    expect(used).toBe(Math.floor(128 / 6));
  });
});
