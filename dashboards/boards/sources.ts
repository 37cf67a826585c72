// The two data sources of the boards. A board names them through variables only, so that one board serves every
// environment: whoever has several Prometheus or ClickHouse servers chooses above the panels.

import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import { DatasourceVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard';

export const METRICS = { type: 'prometheus', uid: '${metrics}' } as const satisfies DataSourceRef;
export const USAGE = { type: 'grafana-clickhouse-datasource', uid: '${usage}' } as const satisfies DataSourceRef;

/** As provisioned; the variables' first choice. */
export const SOURCE_UIDS = { metrics: 'trueup-metrics', usage: 'trueup-usage' } as const;

export function sourceVariable(name: keyof typeof SOURCE_UIDS): DatasourceVariableBuilder {
  const [type, label, text] =
    name === 'metrics' ? [METRICS.type, 'Environment', 'Trueup metrics'] : [USAGE.type, 'Usage store', 'Trueup usage'];
  return new DatasourceVariableBuilder(name)
    .type(type)
    .label(label)
    .description(`The ${type === METRICS.type ? 'Prometheus' : 'ClickHouse'} server that this page reads`)
    .current({ text, value: SOURCE_UIDS[name] });
}
