import { expect, test } from 'vitest';
import { fetchOutput, findProgram, nextStepFor, runStep } from './commands.ts';
import { formatProblem, StackError } from './errors.ts';

test('a stack error reads as what, where and next, each on its line', () => {
  const error = new StackError({ what: 'Kafka needs Java', where: 'PATH', next: 'install Java 17' });
  expect(formatProblem(error)).toBe('Kafka needs Java\n  where: PATH\n  next:  install Java 17');
});

test('a bug keeps its stack trace', () => {
  expect(formatProblem(new TypeError('oops'))).toContain('errors.test.ts');
});

test('a program that is not there ends in the step that installs it', async () => {
  await expect(
    runStep(['no-such-program-anywhere'], { what: 'fetching', missing: 'install it' }),
  ).rejects.toMatchObject({ what: 'fetching: no-such-program-anywhere is missing', next: 'install it' });
});

test('a failed step quotes what the program marked as an error', async () => {
  const fails = ['sh', '-c', 'echo noise; echo "E: Temporary failure in name resolution" >&2; exit 3'] as const;
  await expect(runStep([...fails], { what: 'fetching', missing: '' })).rejects.toMatchObject({
    what: 'fetching: sh ended with code 3',
    where: 'E: Temporary failure in name resolution',
    next: expect.stringContaining('check the network'),
  });
});

test.each([
  ['write error: No space left on device', 'free at least 2 GB'],
  ['java.net.UnknownHostException: unknown host', 'check the network'],
  ['Could not resolve host', 'check the network'],
  ['THESE PACKAGES DO NOT MATCH THE HASHES', 'versions.lock.json'],
  ['E: are you root?', 'run as root'],
  ['/usr/bin/python3: No module named pip', 'python3-pip'],
  ['something else', 'read the words above'],
])('“%s” leads to “%s”', (output, next) => {
  expect(nextStepFor(output)).toContain(next);
});

test('a program is found in the given folders when PATH lacks it', () => {
  expect(findProgram('no-such-program-anywhere', ['/bin'])).toBeUndefined();
  expect(findProgram('sh', ['/bin'])).toMatch(/\/sh$/);
});

test('output and code of a program come back, whatever they are', async () => {
  expect(await fetchOutput('sh', ['-c', 'cat; echo bad >&2; exit 7'], { input: 'in' })).toEqual({
    code: 7,
    stdout: 'in',
    stderr: 'bad\n',
  });
});
