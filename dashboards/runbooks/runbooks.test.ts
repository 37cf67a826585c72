import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { runTrueup } from '../../cli/testing/run-trueup.ts';
import { METRICS } from '../../domain/contracts/metrics.ts';
import { parsePromql } from '../boards/language/promql.ts';
import { createRules } from '../prometheus/rules.ts';
import { fillIn, findMissing } from './answers.ts';
import { HEADINGS, LINES_MAX, parseRunbook, RUNBOOK_NAMES, type Runbook } from './runbook.ts';

const ROOT = join(import.meta.dirname, '../..');
const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.md'));
const runbooks = files.map((file) => ({
  file,
  ...parseRunbook(readFileSync(join(import.meta.dirname, file), 'utf8')),
}));
const readCode = (file: string) => readFileSync(join(ROOT, file), 'utf8');

const commandsOf = ({ sections, mentioned }: Runbook) => [
  ...Object.values(sections).flatMap(({ commands }) => commands),
  ...mentioned,
];

describe('runbooks', () => {
  test('every alert has one, and each belongs to an alert', () => {
    expect(files.map((file) => file.replace('.md', '')).sort()).toEqual([...RUNBOOK_NAMES].sort());
  });

  test.each(runbooks)('$file has its name, all headings in order, and is short', ({ file, name, headings, lines }) => {
    expect(`${name}.md`).toBe(file);
    expect(headings).toEqual(HEADINGS);
    expect(lines).toBeLessThanOrEqual(LINES_MAX);
  });

  test.each(runbooks)('$file shows what to look at and what the answer is, before and after', ({ sections }) => {
    for (const heading of ['See it', 'It is over when'] as const) {
      expect(sections[heading].commands.length).toBeGreaterThan(0);
      expect(sections[heading].answer.length).toBeGreaterThan(0);
    }
  });
});

describe('commands of runbooks', () => {
  let usage = '';
  beforeAll(async () => {
    usage = (await runTrueup('help', {})).out;
  });

  test.each(runbooks)('$file: trueup has them, with these words and options', (runbook) => {
    for (const command of commandsOf(runbook).filter((one) => one.startsWith('npm run trueup -- '))) {
      const words = command
        .replace('npm run trueup -- ', '')
        .replaceAll(/'[^']*'/g, '')
        .split(/\s+/);
      const name = words.filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith('-')).slice(0, 2);
      const form = usage.split('\n').filter((line) => describesCommand(line, name));
      expect(form, command).not.toEqual([]);
      for (const option of words.filter((word) => word.startsWith('--') && word !== '--help')) {
        expect(form.join('\n'), command).toContain(option);
      }
    }
  });

  test.each(runbooks)('$file: npm has the scripts', (runbook) => {
    const { scripts } = JSON.parse(readCode('package.json')) as { scripts: Record<string, string> };
    const stack = readCode('stack/tasks/stack.ts');
    for (const command of commandsOf(runbook).filter((one) => one.startsWith('npm run '))) {
      const [, , script = '', , action = ''] = command.split(' ');
      expect(Object.keys(scripts)).toContain(script);
      if (script === 'stack') expect(stack).toContain(`npm run stack -- ${action}`);
    }
  });

  test.each(runbooks)('$file: what is asked of Prometheus can be parsed, and every metric exists', (runbook) => {
    const known = metricNames();
    for (const command of commandsOf(runbook).filter((one) => one.startsWith('promtool query'))) {
      const { errors, selectors } = parsePromql(/'(.*)'$/.exec(command)?.[1] ?? '');
      expect(errors, command).toEqual([]);
      for (const { metric } of selectors) expect(known, command).toContain(metric);
    }
  });
});

/** `words` are the command and, if it has one, its action; forms may give several, such as `accept|close`. */
function describesCommand(line: string, [command = '', action]: readonly string[]): boolean {
  const [, name, rest = ''] = /^ {2}trueup (\S+)(.*)$/.exec(line) ?? [];
  if (name !== command) return false;
  return action === undefined || rest.trim().split(' ', 1)[0]?.split('|').includes(action) === true;
}

/** Of the registry, of recording rules, and what Prometheus, Alertmanager and every process tell of themselves. */
function metricNames(): Set<string> {
  const registry = Object.entries(METRICS).flatMap(([name, { kind }]) =>
    kind === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
  );
  const recorded = createRules().flatMap(({ rules }) =>
    rules.flatMap((rule) => ('record' in rule ? [rule.record] : [])),
  );
  const others = ['up', 'ALERTS', 'process_start_time_seconds', 'alertmanager_notifications_failed_total'];
  return new Set([...registry, ...recorded, ...others]);
}

describe('an answer', () => {
  test('has its words filled in, and says which one nobody knows', () => {
    expect(fillIn('hold <hold> of <you>', { hold: '7', you: 'pat' })).toBe('hold 7 of pat');
    expect(() => fillIn('hold <hold>', {})).toThrow('<hold>');
  });

  test('is there when each of its lines is, whatever stands for the dots and however wide its columns are', () => {
    const output = '  ! Kafka does not answer: refused\n  rollup     3 blocks wait, the oldest for 4 s\n';
    expect(findMissing(['! <server> does not answer: …', 'rollup … blocks wait'], output, { server: 'kafka' })).toEqual(
      [],
    );
    expect(findMissing(['rollup … records wait', '(nothing)'], output, {})).toEqual([
      'rollup … records wait',
      '(nothing)',
    ]);
  });
});
