// The money bridge as a picture: ECharts draws it on the server into SVG that needs no script and no other file.
// Same bridge, same bytes. It reads without colour too: totals are dark, what lowers the balance is hollow, what raises
// it is filled, and every bar carries its signed amount.

import { CustomChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams, CustomSeriesRenderItemReturn } from 'echarts';
import type { MoneyBridge } from '../report/types.ts';
import { html, trusted, type Html } from './escape.ts';
import { formatAmountIn } from './format.ts';
import { computeWaterfall, SCALE, type Bar, type Waterfall } from './waterfall.ts';

use([CustomChart, GridComponent, SVGRenderer]);

const WIDTH_PX = 720;
const ROW_PX = 25;
const BAR_PX = 15;
const LABELS_PX = 168;
const AMOUNTS_PX = 104;
const LEAST_BAR_PX = 2;

const INK = '#1d252c';
const GRID = '#aab2b9';
/** Blue and vermilion of Okabe and Ito stay apart for every common colour blindness, and differ in grey as well. */
const FILLS: Readonly<Record<Bar['kind'], { fill: string; stroke: string }>> = {
  total: { fill: '#3b4a57', stroke: '#3b4a57' },
  less: { fill: '#fbe3d3', stroke: '#b84a00' },
  more: { fill: '#0072b2', stroke: '#00507d' },
  none: { fill: INK, stroke: INK },
};

export function renderBridgeChart(bridge: MoneyBridge): Html {
  const waterfall = computeWaterfall(bridge);
  const id = `bridge-${bridge.currency}`;
  const height = waterfall.bars.length * ROW_PX + 8;
  const drawn = draw(waterfall, height);
  return html`<svg
    class="chart"
    viewBox="0 0 ${WIDTH_PX} ${height}"
    role="img"
    aria-labelledby="${id}-title ${id}-desc"
  >
    <title id="${id}-title">Money bridge from rated to invoiced, ${bridge.currency.toUpperCase()}</title>
    <desc id="${id}-desc">${describe(bridge, waterfall)}</desc>
    ${trusted(drawn)}
  </svg> `;
}

/** The picture in words, ending in what it shows. */
function describe({ currency, invoicedMinor }: MoneyBridge, { bars }: Waterfall): string {
  const steps = bars.map(({ label, amount }) => `${label} ${amount}`).join('; ');
  return `Waterfall chart. ${steps}. It ends at ${formatAmountIn(BigInt(invoicedMinor), currency)}.`;
}

function draw(waterfall: Waterfall, height: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH_PX, height });
  try {
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: 'inherit' },
      grid: { left: LABELS_PX, right: AMOUNTS_PX, top: 4, bottom: 4 },
      xAxis: { type: 'value', min: 0, max: SCALE, show: false },
      yAxis: {
        type: 'category',
        inverse: true,
        silent: true,
        data: waterfall.bars.map(({ label }) => label),
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { color: INK, fontSize: 12, margin: 10, interval: 0 },
      },
      series: [
        {
          type: 'custom',
          silent: true,
          data: waterfall.bars.map((_, index) => [index]),
          renderItem: (params: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) =>
            drawBar(waterfall, params.dataIndex, api),
        },
      ],
    });
    return strip(chart.renderToSVGString());
  } finally {
    // A chart that is not disposed keeps its animation timer, and with it the process.
    chart.dispose();
  }
}

function drawBar({ bars, floorMinor }: Waterfall, index: number, api: CustomSeriesRenderItemAPI) {
  const bar = bars[index];
  if (bar === undefined) return undefined;
  const [fromPx = 0, middlePx = 0] = api.coord([bar.from, index]);
  const [toPx = 0] = api.coord([bar.to, index]);
  const top = middlePx - BAR_PX / 2;
  const x = Math.min(fromPx, toPx);
  const width = Math.max(Math.abs(toPx - fromPx), LEAST_BAR_PX);
  const rect = {
    type: 'rect',
    shape: { x, y: top, width, height: BAR_PX },
    style: { ...FILLS[bar.kind], lineWidth: 1 },
  };
  const amount = {
    type: 'text',
    style: {
      text: bar.amount,
      x: x + width + 7,
      y: middlePx,
      verticalAlign: 'middle',
      fill: INK,
      fontSize: 12,
      fontWeight: bar.kind === 'total' ? 'bold' : 'normal',
      fontFamily: 'inherit',
    },
  };
  const link = {
    type: 'line',
    shape: { x1: toPx, y1: top + BAR_PX, x2: toPx, y2: top + ROW_PX },
    style: { stroke: GRID, lineWidth: 1 },
  };
  const cut = bar.kind === 'total' && floorMinor > 0n ? cutMark(x + 14, top) : [];
  const children = [rect, ...cut, amount, ...(index < bars.length - 1 ? [link] : [])];
  return { type: 'group', children } as CustomSeriesRenderItemReturn;
}

/** Two slanted gaps say that the bar does not begin at zero. */
function cutMark(x: number, top: number) {
  return [0, 5].map((shift) => ({
    type: 'line',
    shape: { x1: x + shift - 3, y1: top + BAR_PX + 2, x2: x + shift + 3, y2: top - 2 },
    style: { stroke: '#ffffff', lineWidth: 2 },
  }));
}

/**
 * Leaves the drawing: the outer element is ours, and class names and the style sheet carry a counter of the process,
 * which would make two renderings of one report differ.
 */
export function strip(svg: string): string {
  return svg
    .replace(/^<svg[^>]*>\s*/, '')
    .replace(/<\/svg>\s*$/, '')
    .replace(/<style\b[\s\S]*?<\/style>\s*/g, '')
    .replace(/ (?:class|ecmeta_\w+|pointer-events)="[^"]*"/g, '');
}
