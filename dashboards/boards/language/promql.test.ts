import { describe, expect, test } from 'vitest';
import { parsePromql } from './promql.ts';

describe('an expression', () => {
  test('names its selectors with their matchers and the function that takes their range', () => {
    const { selectors, grouping, errors } = parsePromql(
      'sum by (code) (rate(a_total{job="x", code=~"a|b"}[5m])) / on (code) group_left max(b{c!="d"}) or vector(0)',
    );
    expect(errors).toEqual([]);
    expect(grouping).toEqual(['code']);
    expect(selectors).toEqual([
      {
        metric: 'a_total',
        matchers: [
          { label: 'job', operator: '=', value: 'x' },
          { label: 'code', operator: '=~', value: 'a|b' },
        ],
        under: 'rate',
      },
      { metric: 'b', matchers: [{ label: 'c', operator: '!=', value: 'd' }], under: undefined },
    ]);
  });

  test.each(['sum(', 'rate(a[5m)', 'a{b=}', 'sum by code (a) a'])('that can not be parsed says so: %s', (text) => {
    expect(parsePromql(text).errors.length).toBeGreaterThan(0);
  });
});
