import { describe, expect, test } from 'vitest';
import { formatMoney } from '../../domain/money.ts';
import { REJECT_NEXT_STEP, REJECT_REASONS } from '../../domain/contracts/reject-reasons.ts';
import type { Report } from '../report/types.ts';
import { escapeHtml } from './escape.ts';
import { renderReportHtml } from './page.ts';
import { sampleReport } from './sample-report.ts';

const report = sampleReport();
const page = renderReportHtml(report);
const money = (amountMinor: string | bigint) => formatMoney(BigInt(amountMinor), 'usd').replace('-', '−');

/** What a reader sees of a part of the page, tags gone and white space folded. */
function textOf(markup: string): string {
  return markup
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');
}

function section(id: string, of = page): string {
  const start = of.indexOf(`<section id="${id}"`);
  expect(start).toBeGreaterThan(0);
  return of.slice(start, of.indexOf('</section>', start));
}

/** The table with this label: its rows as texts of cells. */
function rowsOf(label: string, of = page): string[][] {
  const start = of.indexOf(`aria-label="${label}"`);
  expect(start, label).toBeGreaterThan(0);
  const table = of.slice(start, of.indexOf('</table>', start));
  return [...table.matchAll(/<tr>([\s\S]*?)<\/tr>/g)]
    .map(([, row = '']) => [...row.matchAll(/<td[^>]*>([\s\S]*?)<\/td>/g)].map(([, cell = '']) => textOf(cell).trim()))
    .filter((cells) => cells.length > 0);
}

describe('the page is one document', () => {
  test('nothing is fetched and nothing runs: no address, no script, no handler', () => {
    const outside = page.replace(/xmlns(:\w+)?="[^"]*"/g, '');
    expect(outside).not.toMatch(/https?:|\/\/\w|<script|<link|<img|<iframe|javascript:|@import|url\(/i);
    expect(outside).not.toMatch(/\ssrc=|\son\w+=/i);
    const targets = [...outside.matchAll(/href="([^"]*)"/g)].map(([, target]) => target ?? '');
    for (const target of targets) expect(page).toContain(`id="${target.replace(/^#/, '')}"`);
    expect(targets.every((target) => target.startsWith('#'))).toBe(true);
  });

  test('the same report gives the same bytes', () => {
    expect(renderReportHtml(sampleReport())).toBe(page);
    renderReportHtml(sampleReport({ faults: false }));
    expect(renderReportHtml(report)).toBe(page);
  });

  test('sections stand in the order in which a reviewer reads', () => {
    const order = ['<header>', 'bridge', 'breaks', 'accounts', 'rejects', 'sign-off'];
    const places = order.map((id) => page.indexOf(id.startsWith('<') ? id : `<section id="${id}"`));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  test('ids are unique and tags are balanced', () => {
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const count = (pattern: RegExp) => [...page.matchAll(pattern)].length;
    for (const tag of ['div', 'table', 'tbody', 'tr', 'td', 'span', 'section', 'dl', 'p', 'svg']) {
      expect(count(new RegExp(`<${tag}[\\s>]`, 'g')), tag).toBe(count(new RegExp(`</${tag}\\s*>`, 'g')));
    }
  });
});

describe('the page fits its paper', () => {
  const style = page.slice(page.indexOf('<style>'), page.indexOf('</style>'));

  test('the picture shrinks with a narrow screen instead of being cut off', () => {
    expect(page).toMatch(/<svg\s+class="chart"\s+viewBox="0 0 720 \d+"/);
    expect(style).toContain('.chart { display: block; width: 100%; max-width: 860px; height: auto; }');
    expect(style).not.toMatch(/\.chart \{[^}]*min-width/);
  });

  test('no section begins a sheet of its own and leaves the one before it half empty', () => {
    expect(style).not.toContain('break-before: page');
  });
});

describe('hostile content stays text', () => {
  const name = `"><script>alert('x')</script>&\u0007`;
  const hostile = sampleReport({ name });

  test('an account name can neither open a tag nor leave an attribute', () => {
    const shown = renderReportHtml(hostile);
    expect(shown).not.toContain('<script');
    expect(shown).not.toContain('\u0007');
    expect(shown).toContain('&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;\uFFFD');
  });

  test('nor can any other text of a report', () => {
    const poison = '</style></title></svg><img src=x onerror=alert(1)>"\'';
    const poisoned = (value: unknown, key = ''): unknown => {
      if (Array.isArray(value)) return value.map((item) => poisoned(item, key));
      if (typeof value === 'object' && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, poisoned(item, name)]));
      }
      const free = ['account', 'run', 'reasons', 'resolution', 'rule', 'expected', 'actual', 'plan', 'id', 'number'];
      const alsoFree = ['status', 'label', 'evidence', 'hashes', 'codeVersion', 'reportHash', 'evidenceHash', 'digest'];
      return typeof value === 'string' && [...free, ...alsoFree].includes(key) ? value + poison : value;
    };
    const shown = renderReportHtml(poisoned(report) as Report);
    expect(shown).not.toContain('<img');
    expect([...shown.matchAll(/<\/style>/g)]).toHaveLength(1);
    expect([...shown.matchAll(/<\/svg>/g)]).toHaveLength(1);
  });

  test('escaping covers the five characters of markup', () => {
    expect(escapeHtml(`<a b="c" d='e'>&`)).toBe('&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;');
  });
});

describe('what the report says, the page says', () => {
  test('the line of totals starts with the messages in the log and never grows from count to count', () => {
    const way = page.slice(page.indexOf('<dl class="way">'), page.indexOf('</dl>', page.indexOf('<dl class="way">')));
    const counts = [...textOf(way).matchAll(/([\d,]+) (?:messages|events)/g)].map(([, count]) => count);
    const { messages, accepted, counted } = report.events;
    expect(counts).toEqual([messages, accepted, counted].map((count) => formatMoney(BigInt(count), 'jpy')));
    expect(textOf(way)).not.toContain('Emitted');
    expect(rowsOf('Event bridge')[0]?.[0]).toBe('Messages in the log');
    expect(rowsOf('Event bridge').at(-1)?.[0]).toContain('distinct events the sources say they emitted');
  });

  test('every break stands once, with account, money, age, status and evidence', () => {
    const rows = rowsOf('Every break, USD');
    expect(rows).toHaveLength(report.breaks.length);
    for (const found of report.breaks) {
      const hash = found.evidence[0]?.slice(0, 12) ?? '';
      const row = rows.find((cells) => cells.at(-1) === hash);
      expect(row?.[0]).toMatch(new RegExp(`^${found.account} `));
      expect(row?.[1]?.split(' ')[0]).toBe(money(found.amountMinor));
      expect(row?.[5]).toBe(`${found.ageDays} d`);
      expect(row?.[6]).toBe(found.status);
    }
    for (const { resolution, code } of report.breaks) {
      expect(section('breaks')).toContain(escapeHtml(resolution));
      expect(section('breaks')).toContain(code);
    }
  });

  test('every class stands with count, money and ages, and the foot adds them up', () => {
    const rows = rowsOf('Breaks by class, USD');
    const foot = rows.pop() ?? [];
    expect(rows.map(([, count, open, amount]) => [count, open, amount?.split(' ')[0]])).toEqual(
      report.classes.map((of) => [`${of.count}`, `${of.open}`, money(of.amountMinor)]),
    );
    expect(foot[1]).toBe(`${report.breaks.length}`);
    expect(foot[2]).toBe(`${report.verdict.openBreaks}`);
    expect(foot[3]).toBe(money(report.breaks.reduce((sum, { amountMinor }) => sum + BigInt(amountMinor), 0n)));
  });

  test('the tie-out lists every account and its totals are those of the money bridge', () => {
    const rows = rowsOf('Tie-out of all accounts, USD');
    const foot = rows.pop() ?? [];
    expect(rows.map(([account]) => account)).toEqual(report.accounts.map(({ account }) => account));
    const [bridge] = report.money;
    expect(foot[3]).toBe(money(bridge?.ratedMinor ?? ''));
    expect(foot[4]).toBe(money(bridge?.invoicedMinor ?? ''));
    expect(foot[8]).toBe(money(bridge?.unexplainedMinor ?? ''));
    const minor = (text = '') => BigInt(text.replace('−', '-').replace(/[,.]/g, ''));
    expect(minor(foot[5])).toBe(minor(foot[6]) + minor(foot[7]) + minor(foot[8]));
  });

  test('invoices and largest accounts are all there, and invoices add up to what is invoiced', () => {
    const invoices = rowsOf('Invoices, USD');
    expect(invoices.pop()?.at(-1)).toBe(money(report.money[0]?.invoicedMinor ?? ''));
    expect(invoices.map(([, , id]) => id)).toEqual(report.invoices.map(({ id }) => id));
    const top = rowsOf('Largest accounts, USD');
    expect(top.map((cells) => cells[6])).toEqual(report.topAccounts.map(({ totalMinor }) => money(totalMinor)));
  });

  test('rejects stand with what their sender should do, and add up to the bridge', () => {
    const rows = rowsOf('Rejected messages by reason');
    expect(rows.pop()?.[1]).toBe(formatMoney(BigInt(report.events.rejected), 'jpy'));
    const known = REJECT_REASONS.filter((reason) => report.events.rejectedByReason[reason] !== undefined);
    expect(rows.map(([reason]) => reason)).toEqual(known);
    for (const reason of known) expect(section('rejects')).toContain(escapeHtml(REJECT_NEXT_STEP[reason]));
  });

  test('run and both hashes are printed in full where they are signed', () => {
    for (const text of [report.run, report.reportHash, report.evidenceHash]) {
      expect(section('sign-off')).toContain(`<code>${text}</code>`);
    }
    expect(page.slice(page.indexOf('<header>'), page.indexOf('</header>'))).toContain(report.reportHash);
    expect(section('sign-off')).toContain(report.evidence.priceBookHash);
  });
});
