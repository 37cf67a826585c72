// A query of Grafana's ClickHouse plugin, which the SDK has no builder for.

import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import { USAGE } from './sources.ts';

/** As the plugin's back end numbers them: series are one frame per label, the first column being time; a table is as selected. */
const FORMATS = { series: 0, table: 1 } as const;

export type ClickHouseDataquery = Dataquery & {
  readonly refId: string;
  readonly datasource: typeof USAGE;
  readonly editorType: 'sql';
  readonly queryType: 'timeseries' | 'table';
  readonly format: (typeof FORMATS)[keyof typeof FORMATS];
  readonly rawSql: string;
};

export class ClickHouseQueryBuilder implements Builder<Dataquery> {
  private readonly internal: ClickHouseDataquery;

  constructor(refId: string, rawSql: string, as: keyof typeof FORMATS) {
    this.internal = {
      refId,
      datasource: USAGE,
      editorType: 'sql',
      queryType: as === 'series' ? 'timeseries' : 'table',
      format: FORMATS[as],
      rawSql,
      _implementsDataqueryVariant: () => undefined,
    };
  }

  build(): ClickHouseDataquery {
    return this.internal;
  }
}
