import { describe, expect, test } from 'vitest';
import type { Report, ReportBreak } from '../report/types.ts';
import { formatHour, formatInstant, formatPeriod, formatQuantity, formatQuantityCell, formatSigned } from './format.ts';
import { formatRun, toHourRuns } from './hours.ts';
import { sampleReport } from './sample-report.ts';
import { sideHtml } from './sides.ts';
import { toVerdict } from './verdict-words.ts';

const report = sampleReport();
const clean = sampleReport({ faults: false });
const sentence = (of: Report) => `${toVerdict(of).headline} ${toVerdict(of).detail}`;

describe('the verdict', () => {
  test('says what stands in the way, under- and over-billed apart', () => {
    expect(sentence(report)).toBe(
      'October 2026 does not tie yet: 17 differences worth 651.30 USD under-billed and 172.80 USD over-billed; ' +
        '1 total does not tie and has no explanation yet. 3 rounding differences accepted, 0.03 USD. Of 60 accounts: 3 held, 1 without an invoice and 1 failed.',
    );
  });

  test('of a clean period is that it ties', () => {
    expect(clean.verdict.result).toBe('clean');
    expect(sentence(clean)).toBe('October 2026 ties: nothing to explain.');
  });

  test('of a period with accepted rounding only names the rounding', () => {
    const accepted = report.breaks.filter(({ status }) => status === 'auto-accepted').slice(0, 2);
    const rounded = { ...clean, breaks: accepted };
    expect(sentence(rounded)).toBe('October 2026 ties: nothing to explain. 2 rounding differences accepted, 0.02 USD.');
  });

  test('calls every difference explained when no total is left over', () => {
    expect(sentence({ ...report, verdict: { ...report.verdict, unexplained: 0 } })).toContain(
      'every one of them is explained',
    );
  });

  test('never calls everything explained while a total is not', () => {
    const unexplained = { ...report, verdict: { ...report.verdict, unexplained: 2 } };
    expect(sentence(unexplained)).toContain('2 totals do not tie and have no explanation yet');
    expect(sentence(unexplained)).not.toContain('is explained');
  });

  test('keeps currencies apart', () => {
    const [first] = report.breaks;
    const yen = { ...first, currency: 'jpy', amountMinor: '1234' } as ReportBreak;
    expect(sentence({ ...report, breaks: [...report.breaks, yen] })).toContain('1,234 JPY under-billed');
  });
});

describe('numbers', () => {
  test('quantities are exact in the unit people speak of', () => {
    expect(formatQuantity('actions', '120800001')).toBe('12,080,000.1');
    expect(formatQuantity('active_storage', '-720000')).toBe('−720');
    expect(formatQuantityCell('retained_storage', '1445639240')).toBe('1,445,639.240');
    expect(formatQuantityCell('actions', '0')).toBe('0.0');
  });

  test('a quantity beyond what a float holds keeps all its digits', () => {
    expect(formatQuantity('active_storage', '12345678901234567890123')).toBe('12,345,678,901,234,567,890.123');
  });

  test('steps carry their sign, zero carries none', () => {
    expect([12n, -1_234_500n, 0n].map((amount) => formatSigned(amount, 'usd'))).toEqual([
      '+0.12',
      '−12,345.00',
      '0.00',
    ]);
  });
});

describe('times are UTC, wherever the page is made', () => {
  test('periods, instants and hours', () => {
    expect(formatPeriod('2026-10')).toBe('October 2026');
    expect(formatInstant('2026-11-04T00:05:00.000Z')).toBe('4 November 2026, 00:05 UTC');
    expect(formatHour('2026-10-12T14:00:00.000Z')).toBe('12 Oct 14:00');
  });

  test('hours that follow each other are one run, across midnight too', () => {
    const hours = [
      '2026-10-04T22:00:00.000Z',
      '2026-10-04T23:00:00.000Z',
      '2026-10-05T00:00:00.000Z',
      '2026-10-09T05:00:00.000Z',
    ];
    expect(toHourRuns(hours).map(formatRun)).toEqual(['4 Oct 22:00–5 Oct 01:00 (3 h)', '9 Oct 05:00–06:00']);
  });
});

describe('the sides of a break', () => {
  const of = (part: Partial<ReportBreak>) =>
    ({ ...report.breaks[0], meter: 'actions', currency: 'usd', ...part }) as ReportBreak;
  const text = (found: ReportBreak, side: string) => sideHtml(found, side).markup.replace(/<[^>]+>/g, '');

  test.each([
    [of({ code: 'USAGE_NOT_SENT' }), '12345', '1,234.5 actions'],
    [of({ code: 'USAGE_LATE', meter: 'active_storage' }), '91', '0.091 GBh'],
    [of({ code: 'TIER_MISMATCH' }), '34457', '344.57 USD'],
    [of({ code: 'TIER_MISMATCH', meter: null }), 'plan fee 50000', 'plan fee 500.00 USD'],
    [of({ code: 'PRICE_MISMATCH' }), 'actions-business-2026-01', 'actions-business-2026-01'],
    [of({ code: 'INVOICE_MISSING', meter: null }), 'none', 'none'],
    [of({ code: 'USAGE_NOT_SENT' }), 'about 12', 'about 12'],
  ])('$code: "%s" is told in the unit of its meaning', (found, side, shown) => {
    expect(text(found, side)).toBe(shown);
  });

  test('the exact meter units are in the title', () => {
    expect(sideHtml(of({ code: 'USAGE_NOT_SENT' }), '12345').markup).toContain('title="12,345 × 1 tenth of an action"');
  });
});
