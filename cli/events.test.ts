// The command as a user runs it, in a process of its own.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConformance } from '../ingest/http/testing/conformance.ts';

const { arrival, cases } = readConformance();
const sendable = cases.filter(({ key, lines }) => key === undefined && lines);

function trueup(args: readonly string[], input: Buffer | string = '') {
  const main = join(import.meta.dirname, 'main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { input, encoding: 'utf8' });
  return { status, lines: stdout.trimEnd().split('\n'), stderr };
}

const verdictOf = (line: string) => /: (?:rejected )?(\w+)/.exec(line)?.[1];

describe('trueup events validate', () => {
  test('gives every conformance case its verdict, by line, and exits 1', () => {
    const input = Buffer.concat(sendable.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]));
    const { status, lines, stderr } = trueup(['events', 'validate', '-', '--arrival', arrival], input);
    expect(lines.map((line) => [Number(/^line (\d+)/.exec(line)?.[1]), verdictOf(line)])).toEqual(
      sendable.map(({ expect: expected }, index) => [index + 1, expected]),
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/^\d+ accepted, \d+ rejected\n$/);
  });

  test('takes a file with a JSON array, by index, and exits 0 when all are good', () => {
    const folder = mkdtempSync(join(tmpdir(), 'trueup-events-'));
    try {
      const file = join(folder, 'events.json');
      const good = sendable.filter(({ expect: expected }) => expected === 'accepted').slice(0, 3);
      writeFileSync(file, `\n [${good.map(({ bytes }) => bytes.toString()).join(',\n')}]`);
      expect(trueup(['events', 'validate', file, '--arrival', arrival])).toMatchObject({
        status: 0,
        lines: ['event 0: accepted', 'event 1: accepted', 'event 2: accepted'],
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('names what is wrong with the call, the file or the array', () => {
    expect(trueup(['events'])).toMatchObject({ status: 2, stderr: expect.stringContaining('say validate') });
    expect(trueup(['events', 'validate', '--nope', '-'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--nope'),
    });
    expect(trueup(['events', 'validate', '/nowhere'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('/nowhere'),
    });
    expect(trueup(['events', 'validate', '-'], '[{"a":1}')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('not JSON'),
    });
    expect(trueup(['nothing'])).toMatchObject({ status: 2, stderr: expect.stringContaining('trueup events validate') });
  });
});
