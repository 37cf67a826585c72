import { describe, expect, test } from 'vitest';
import { formatMoney } from '../../domain/money.ts';
import { REJECT_NEXT_STEP, REJECT_REASONS } from '../../domain/contracts/reject-reasons.ts';
import type { Report } from '../report/types.ts';
import { escapeHtml } from './escape.ts';
import { toCaseId } from '../cases/key.ts';
import type { BesideCase } from '../report/beside.ts';
import { computeMatched } from '../report/matched.ts';
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
    const sections = [
      'bridge',
      'breaks',
      'accounts',
      'ageing',
      'materiality',
      'trend',
      'rejects',
      'control',
      'sign-off',
    ];
    const order = ['<header>', ...sections];
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

describe('what stands beside the report', () => {
  const open = report.breaks.filter(({ status }) => status === 'open');
  const cases: BesideCase[] = open.slice(1).map((found, index) => ({
    caseId: toCaseId({ ...found, period: report.period }),
    state: index === 0 ? 'assigned' : 'open',
    owner: index === 0 ? 'jo' : null,
    severity: 'high',
    dueAtMs: Date.UTC(2026, 10, 9),
  }));
  const signOff = {
    id: '1',
    period: report.period,
    run: report.run,
    reportHash: report.reportHash,
    evidenceHash: report.evidenceHash,
    casesHash: 'c',
    preparedBy: 'jo',
    preparedAtMs: Date.UTC(2026, 10, 5, 9),
    note: 'late usage is <billed> with November',
    preparedEntry: { sequence: '41', hash: 'aa11' },
    approved: { by: 'sam', atMs: Date.UTC(2026, 10, 6, 10), entry: { sequence: '44', hash: 'bb22' } },
  };
  const signed = (over: Partial<typeof signOff>, deviations: readonly string[] = []) =>
    textOf(
      section('sign-off', renderReportHtml(report, { signOff: { signOff: { ...signOff, ...over }, deviations } })),
    );

  test('every open break stands with the owner, state and due date of its case, or without a case', () => {
    const rows = rowsOf('Owner and due date, USD', renderReportHtml(report, { cases }));
    expect(rows).toHaveLength(open.length);
    expect(rows.filter((cells) => cells[5] === 'assigned').map((cells) => cells.slice(4))).toEqual([
      ['high', 'assigned', 'jo', '9 Nov 2026'],
    ]);
    expect(rows.filter((cells) => cells[5] === 'no case yet')).toHaveLength(1);
    expect(rows.filter((cells) => cells[6] === 'nobody')).toHaveLength(open.length - 2);
  });

  test('who signed stands with time and audit entry, and the lines to sign on are gone', () => {
    const text = signed({});
    for (const part of ['jo', '5 November 2026, 09:00 UTC', 'entry 41', 'sam', '6 November 2026, 10:00 UTC', 'bb22']) {
      expect(text).toContain(part);
    }
    expect(text).toContain('late usage is &lt;billed&gt; with November');
    expect(text).not.toContain('(name)');
    expect(textOf(section('sign-off'))).toContain('Reviewed by (name)');
  });

  test('a signature of another report or one that no longer holds is not shown as a signature', () => {
    expect(signed({ reportHash: 'other' })).toContain('does not cover this report: run close-2026-10-1 was signed');
    const changed = signed({}, ['cases changed after the signature']);
    expect(changed).toContain('does not cover this report: cases changed after the signature');
    for (const text of [signed({ reportHash: 'other' }), changed]) expect(text).toContain('Prepared by (name)');
  });
});

describe('what the report says, the page says', () => {
  test('the first line says how much matched, and the cash bridge ties from due to paid', () => {
    const head = textOf(page.slice(page.indexOf('<header>'), page.indexOf('</header>')));
    const { accounts, money: matched } = computeMatched(report);
    expect(head).toContain(`ATTENTION ${accounts} of 60 accounts matched`);
    expect(head).toContain(`gross ${money(matched[0]?.grossMinor ?? 0n)} USD`);
    const amounts = rowsOf('Cash bridge, USD').map((cells) =>
      BigInt((cells[2] ?? '').replace('−', '-').replace(/[,.+]/g, '')),
    );
    const paid = amounts.pop();
    expect(amounts.reduce((sum, amount) => sum + amount, 0n)).toBe(paid);
    expect(amounts[0]).toBeGreaterThan(0n);
  });

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
    expect(section('control')).toContain(report.evidence.priceBookHash);
  });
});
