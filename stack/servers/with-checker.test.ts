import { expect, test } from 'vitest';
import { fillIn } from './alertmanager.ts';
import { isAtLeast, readVersion } from './with-checker.ts';

test.each([
  ['prometheus, version 2.42.0+ds (branch: debian/sid, revision: 2.42.0+ds-5)', '2.42.0'],
  ['alertmanager, version 0.25.0 (branch: HEAD)', '0.25.0'],
  ['no idea', undefined],
])('the version is read out of “%s”', (said, version) => {
  expect(readVersion(said)).toBe(version);
});

test.each([
  ['2.42.0', true],
  ['2.42.1', true],
  ['2.5.9', false],
  ['3.1.0', true],
  ['1.99.0', false],
])('%s is judged against 2.42 by its numbers, not its letters', (version, enough) => {
  expect(isAtLeast(version, '2.42')).toBe(enough);
});

test('a receiver without a value gets the other address; what is no variable of ours stays', () => {
  const text = 'a: ${TRUEUP_ALERT_WEBHOOK_A}, b: ${TRUEUP_ALERT_WEBHOOK_B}, c: ${HOME} {{ .Labels.x }} $1';
  expect(
    fillIn(text, { TRUEUP_ALERT_WEBHOOK_A: 'http://pager/$&', TRUEUP_ALERT_WEBHOOK_B: '', HOME: '/' }, 'http://other/'),
  ).toBe('a: http://pager/$&, b: http://other/, c: ${HOME} {{ .Labels.x }} $1');
});
