// The four kinds of panels that the boards are made of, each with what a reader needs: a title, what it means, a unit and
// where to go from there. Everything that all panels of a kind share stands here; what a panel asks stands in its board.

import { PanelBuilder as BarGaugeBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import {
  BarGaugeDisplayMode,
  BarGaugeNamePlacement,
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  SpecialValueMatch,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type Panel,
  type Threshold,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { ClickHouseQueryBuilder } from './clickhouse-query.ts';
import { METRICS, USAGE } from './sources.ts';

/** Asks Prometheus with an expression, or ClickHouse with a statement of queries/. */
export type Query = { readonly promql: string; readonly legend?: string } | { readonly sql: string };

export type Link = { readonly title: string; readonly url: string };

export type PanelSpec = {
  readonly title: string;
  /** What it shows, what is normal, what to think when it is not. */
  readonly description: string;
  /** One of Grafana's units, or `suffix:words`. */
  readonly unit: string;
  readonly decimals?: number;
  readonly queries: readonly Query[];
  readonly link: Link;
  /** Of 24 columns. */
  readonly width: number;
  readonly height?: number;
};

/** Where a number stops being fine; `warn` or `bad` may be left out, and `low` turns it around: below is worse. */
export type Levels = { readonly warn?: number; readonly bad?: number; readonly low?: boolean };

export type StatSpec = PanelSpec & {
  readonly levels: Levels;
  /** Words in place of a number. */
  readonly words?: Readonly<Record<string, string>>;
};

export type SeriesSpec = PanelSpec & {
  readonly draw?: 'lines' | 'stacked' | 'bars';
  /** A dashed line where it stops being fine. */
  readonly limit?: number;
  /** Of a ClickHouse query: the column that names a series. */
  readonly seriesLabel?: string;
  /** No point is narrower: the grain of what is drawn. */
  readonly minInterval?: string;
  /** Shows the end of the chosen range only: `24h`. */
  readonly lastOnly?: string;
};

export type TableColumn = {
  readonly unit?: string;
  readonly decimals?: number;
  readonly width?: number;
  readonly words?: Readonly<Record<string, string>>;
  readonly link?: Link;
};

export type TableSpec = PanelSpec & { readonly columns: Readonly<Record<string, TableColumn>> };

export const UNKNOWN = 'Not known';

const GOOD = 'green';
const WARN = 'orange';
const BAD = 'red';

type AnyPanelBuilder = StatBuilder | TimeSeriesBuilder | BarGaugeBuilder | TableBuilder;

/** One number that says whether something is broken. What could not be read says so, and is never a zero. */
export function stat(spec: StatSpec): Builder<Panel> {
  const { levels, words = {} } = spec;
  return begin(new StatBuilder(), { height: 4, ...spec }, 'stat')
    .colorMode(BigValueColorMode.Background)
    .graphMode(BigValueGraphMode.None)
    .reduceOptions(lastValue())
    .noValue(UNKNOWN)
    .mappings([...toMappings(words), unknownMapping()])
    .thresholds(thresholds(toSteps(levels)));
}

/** Numbers over time. */
export function series(spec: SeriesSpec): Builder<Panel> {
  const { draw = 'lines', limit, seriesLabel, minInterval, lastOnly } = spec;
  const panel = begin(new TimeSeriesBuilder(), { height: 8, ...spec }, 'series')
    .drawStyle(draw === 'bars' ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
    .lineWidth(draw === 'bars' ? 0 : 2)
    .fillOpacity(draw === 'lines' ? 0 : draw === 'bars' ? 80 : 25)
    .showPoints(VisibilityMode.Never)
    .axisSoftMin(0)
    .noValue(UNKNOWN)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    );
  if (draw !== 'lines') panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  if (seriesLabel !== undefined) panel.displayName(`\${__field.labels.${seriesLabel}}`);
  if (minInterval !== undefined) panel.interval(minInterval);
  if (lastOnly !== undefined) panel.timeFrom(lastOnly);
  if (limit === undefined) return panel;
  return panel
    .thresholds(thresholds(toSteps({ bad: limit })))
    .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
}

/** Numbers beside each other, largest names first as the query orders them. */
export function bars(spec: PanelSpec & { readonly levels?: Levels }): Builder<Panel> {
  return begin(new BarGaugeBuilder(), { height: 8, ...spec }, 'bars')
    .displayMode(BarGaugeDisplayMode.Basic)
    .namePlacement(BarGaugeNamePlacement.Left)
    .orientation(VizOrientation.Horizontal)
    .showUnfilled(false)
    .min(0)
    .reduceOptions(lastValue().values(isSql(spec)))
    .noValue(UNKNOWN)
    .thresholds(thresholds(spec.levels === undefined ? [{ value: null, color: 'blue' }] : toSteps(spec.levels)));
}

/** Rows of a statement. Columns are named for people in the statement itself. */
export function table(spec: TableSpec): Builder<Panel> {
  const panel = begin(new TableBuilder(), { height: 8, ...spec }, 'table')
    .noValue('–')
    .filterable(false);
  for (const [column, { unit, decimals, width, words, link }] of Object.entries(spec.columns)) {
    panel.overrideByName(column, [
      ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
      ...(decimals === undefined ? [] : [{ id: 'decimals', value: decimals }]),
      ...(width === undefined ? [] : [{ id: 'custom.width', value: width }]),
      ...(words === undefined ? [] : [{ id: 'mappings', value: toMappings(words) }]),
      ...(link === undefined ? [] : [{ id: 'links', value: [link] }]),
    ]);
  }
  return panel;
}

type Kind = 'stat' | 'series' | 'bars' | 'table';

function begin<One extends AnyPanelBuilder>(
  panel: One,
  spec: PanelSpec & { readonly height: number },
  kind: Kind,
): One {
  panel
    .title(spec.title)
    .description(spec.description)
    .unit(spec.unit)
    .datasource(isSql(spec) ? USAGE : METRICS)
    .span(spec.width)
    .height(spec.height)
    .links([panelLink(spec.link)])
    .targets(spec.queries.map((query, index) => toTarget(query, index, kind)));
  if (spec.decimals !== undefined) panel.decimals(spec.decimals);
  return panel;
}

function isSql({ queries }: PanelSpec): boolean {
  return queries.some((query) => 'sql' in query);
}

function toTarget(query: Query, index: number, kind: Kind): Builder<Dataquery> {
  const refId = String.fromCharCode('A'.charCodeAt(0) + index);
  if ('sql' in query) return new ClickHouseQueryBuilder(refId, query.sql, kind === 'series' ? 'series' : 'table');
  const target = new DataqueryBuilder().refId(refId).datasource(METRICS).expr(query.promql);
  if (query.legend !== undefined) target.legendFormat(query.legend);
  return kind === 'series' ? target.range() : target.instant();
}

function panelLink({ title, url }: Link): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url).targetBlank(false);
}

function lastValue(): ReduceDataOptionsBuilder {
  return new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false);
}

function thresholds(steps: Threshold[]): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}

function toSteps({ warn, bad, low = false }: Levels): Threshold[] {
  const step = (value: number | undefined, color: string) => (value === undefined ? [] : [{ value, color }]);
  if (!low) return [{ value: null, color: GOOD }, ...step(warn, WARN), ...step(bad, BAD)];
  return [{ value: null, color: BAD }, ...step(bad, warn === undefined ? GOOD : WARN), ...step(warn, GOOD)];
}

function toMappings(words: Readonly<Record<string, string>>): ValueMapping[] {
  const options = Object.fromEntries(Object.entries(words).map(([value, text], index) => [value, { text, index }]));
  return Object.keys(options).length === 0 ? [] : [{ type: MappingType.ValueToText, options }];
}

/** Nothing read is neither good nor zero. */
function unknownMapping(): ValueMapping {
  return {
    type: MappingType.SpecialValue,
    options: { match: SpecialValueMatch.NullAndNan, result: { text: UNKNOWN, color: 'purple' } },
  };
}
