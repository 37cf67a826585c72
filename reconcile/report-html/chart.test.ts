import { describe, expect, test } from 'vitest';
import type { MoneyBridge, MoneyStep } from '../report/types.ts';
import { renderBridgeChart } from './chart.ts';
import { renderReportHtml } from './page.ts';
import { sampleReport } from './sample-report.ts';
import { computeWaterfall, SCALE } from './waterfall.ts';

function bridgeOf(...amounts: readonly (readonly [MoneyStep['step'], bigint])[]): MoneyBridge {
  const steps = amounts.map(([step, amount]) => ({ step, label: step, amountMinor: amount.toString(), count: 1 }));
  const of = (name: MoneyStep['step']) => steps.find(({ step }) => step === name)?.amountMinor ?? '0';
  return {
    currency: 'usd',
    ratedMinor: of('rated'),
    invoicedMinor: of('invoiced'),
    unexplainedMinor: of('unexplained'),
    beyondMinor: '0',
    steps,
  };
}

describe('the picture of the bridge', () => {
  test('has the same numbers as its table, in the same order', () => {
    const page = renderReportHtml(sampleReport());
    const figure = page.slice(page.indexOf('<figure>'), page.indexOf('</figure>'));
    const drawn = [...figure.matchAll(/<text[^>]*text-anchor="start"[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    const from = page.indexOf('aria-label="Money bridge, USD"');
    const table = page.slice(from, page.indexOf('</table>', from));
    const rows = [...table.matchAll(/<tr>\s*(<td[\s\S]*?)<\/tr>/g)].map(([, row = '']) =>
      [...row.matchAll(/<td[^>]*>([\s\S]*?)<\/td>/g)].map(([, cell = '']) => cell.replace(/<[^>]+>/g, '').trim()),
    );
    expect(rows.map(([, , amount]) => amount)).toEqual(drawn);
    expect(drawn).toHaveLength(sampleReport().money[0]?.steps.length ?? 0);
    const labels = [...figure.matchAll(/<text[^>]*text-anchor="end"[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    expect(rows.map(([label]) => label)).toEqual(labels);
  });

  test('is named and described for those who do not see it', () => {
    const { markup } = renderBridgeChart(bridgeOf(['rated', 1000n], ['ROUNDING', -3n], ['invoiced', 997n]));
    expect(markup).toMatch(/role="img"\s+aria-labelledby="bridge-usd-title bridge-usd-desc"/);
    expect(markup).toContain('<title id="bridge-usd-title">Money bridge from rated to invoiced, USD</title>');
    expect(markup).toContain('Rated by us 10.00; ROUNDING −0.03; Invoiced by Stripe 9.97. It ends at 9.97 USD.');
  });

  test('draws nothing that depends on what was drawn before', () => {
    const bridge = bridgeOf(['rated', 100_000n], ['held', -20_000n], ['invoiced', 80_000n]);
    const first = renderBridgeChart(bridge).markup;
    renderBridgeChart(bridgeOf(['rated', 5n], ['invoiced', 5n]));
    expect(renderBridgeChart(bridge).markup).toBe(first);
    expect(first).not.toMatch(/<style|class="zr|ecmeta/);
  });

  test('a label with markup in it stays text', () => {
    const bridge = bridgeOf(['rated', 10n], ['ROUNDING', -1n], ['invoiced', 9n]);
    const steps = bridge.steps.map((step) => ({ ...step, label: '<b>&"' }));
    expect(renderBridgeChart({ ...bridge, steps }).markup).not.toContain('<b>');
  });
});

describe('where the bars stand', () => {
  test('each begins where the one before it ended, and the last total ends there too', () => {
    const { bars } = computeWaterfall(
      bridgeOf(
        ['rated', 10_000n],
        ['held', -6_000n],
        ['PRICE_MISMATCH', 500n],
        ['unexplained', 0n],
        ['invoiced', 4_500n],
      ),
    );
    expect(bars.map(({ afterMinor }) => afterMinor)).toEqual([10_000n, 4_000n, 4_500n, 4_500n, 4_500n]);
    expect(bars.slice(1, 4).map(({ from }) => from)).toEqual(bars.slice(0, 3).map(({ to }) => to));
    expect(bars.map(({ kind }) => kind)).toEqual(['total', 'less', 'more', 'none', 'total']);
  });

  test('the scale begins at zero unless all balances lie high', () => {
    expect(computeWaterfall(bridgeOf(['rated', 100n], ['held', -60n], ['invoiced', 40n])).floorMinor).toBe(0n);
    const high = computeWaterfall(bridgeOf(['rated', 100_000n], ['held', -900n], ['invoiced', 99_100n]));
    expect(high.floorMinor).toBeGreaterThan(0n);
    expect(high.floorMinor).toBeLessThan(99_100n);
  });

  test.each([
    ['nothing at all', bridgeOf(['rated', 0n], ['unexplained', 0n], ['invoiced', 0n])],
    ['a credit', bridgeOf(['rated', 100n], ['TIER_MISMATCH', -300n], ['invoiced', -200n])],
    [
      'more than a float holds',
      bridgeOf(['rated', 10n ** 24n], ['held', -(10n ** 23n)], ['invoiced', 9n * 10n ** 23n]),
    ],
    ['no change', bridgeOf(['rated', 777n], ['unexplained', 0n], ['invoiced', 777n])],
  ])('%s stays on paper', (_, bridge) => {
    for (const { from, to } of computeWaterfall(bridge).bars) {
      expect(Math.min(from, to)).toBeGreaterThanOrEqual(0);
      expect(Math.max(from, to)).toBeLessThanOrEqual(SCALE);
    }
    expect(renderBridgeChart(bridge).markup).not.toMatch(/NaN|Infinity|undefined/);
  });
});
