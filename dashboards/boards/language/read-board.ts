// A board's JSON, as far as one must know it to run its queries and draw it without Grafana. Zod checks what is read, so
// that a change of what the SDK writes is an error here and not an empty picture.

import { z } from 'zod';

const dataSource = z.object({ type: z.string(), uid: z.string() });
const link = z.object({ title: z.string(), url: z.string().optional() });

const prometheusTarget = z.object({
  refId: z.string(),
  datasource: dataSource,
  expr: z.string(),
  legendFormat: z.string().optional(),
  instant: z.boolean().optional(),
  range: z.boolean().optional(),
});

const clickhouseTarget = z.object({
  refId: z.string(),
  datasource: dataSource,
  rawSql: z.string(),
  editorType: z.literal('sql'),
  format: z.union([z.literal(0), z.literal(1)]),
});

const mapping = z.discriminatedUnion('type', [
  z.object({ type: z.literal('value'), options: z.record(z.string(), z.object({ text: z.string() })) }),
  z.object({
    type: z.literal('special'),
    options: z.object({ match: z.string(), result: z.object({ text: z.string() }) }),
  }),
]);

const step = z.object({ value: z.number().nullable(), color: z.string() });

const panel = z.object({
  id: z.number().int(),
  type: z.enum(['stat', 'timeseries', 'bargauge', 'table']),
  title: z.string(),
  description: z.string(),
  datasource: dataSource,
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  interval: z.string().optional(),
  timeFrom: z
    .string()
    .regex(/^\d+h$/)
    .optional(),
  links: z.array(link),
  targets: z.array(z.union([prometheusTarget, clickhouseTarget])),
  fieldConfig: z.object({
    defaults: z.object({
      unit: z.string(),
      decimals: z.number().optional(),
      displayName: z.string().optional(),
      noValue: z.string(),
      mappings: z.array(mapping).default([]),
      thresholds: z.object({ steps: z.array(step) }).optional(),
      custom: z
        .object({
          drawStyle: z.string().optional(),
          fillOpacity: z.number().optional(),
          stacking: z.object({ mode: z.string() }).optional(),
          thresholdsStyle: z.object({ mode: z.string() }).optional(),
        })
        .default({}),
    }),
    overrides: z.array(
      z.object({
        matcher: z.object({ id: z.literal('byName'), options: z.string() }),
        properties: z.array(z.object({ id: z.string(), value: z.unknown() })),
      }),
    ),
  }),
});

const row = z.object({
  id: z.number().int(),
  type: z.literal('row'),
  title: z.string(),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
});

const variable = z.object({
  name: z.string(),
  type: z.enum(['datasource', 'query', 'constant']),
  label: z.string(),
  description: z.string(),
  hide: z.number().optional(),
  multi: z.boolean(),
  includeAll: z.boolean(),
  refresh: z.number().optional(),
  datasource: dataSource.optional(),
  query: z.union([z.string(), z.object({ rawSql: z.string() })]),
});

const board = z.object({
  uid: z.string(),
  title: z.string(),
  description: z.string(),
  editable: z.boolean(),
  timezone: z.string(),
  time: z.object({ from: z.string(), to: z.string() }),
  panels: z.array(z.discriminatedUnion('type', [row, panel])),
  templating: z.object({ list: z.array(variable) }),
});

export type ReadBoard = z.infer<typeof board>;
export type ReadPanel = z.infer<typeof panel>;
export type ReadTarget = ReadPanel['targets'][number];
export type ReadVariable = z.infer<typeof variable>;

export function readBoard(json: unknown): ReadBoard {
  return board.parse(json);
}

/** Panels without the rows that head them. */
export function panelsOf({ panels }: ReadBoard): ReadPanel[] {
  return panels.filter((one) => one.type !== 'row');
}
