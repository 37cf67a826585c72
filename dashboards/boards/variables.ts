// Variables whose values ClickHouse knows.

import { QueryVariableBuilder, VariableHide, VariableRefresh } from '@grafana/grafana-foundation-sdk/dashboard';
import { QUERIES } from './queries.ts';
import { USAGE } from './sources.ts';

type Choice = { readonly label: string; readonly description: string; readonly sql: string };

/** Asked again when the range changes; in the order of the statement, and what is not listed can be typed. */
function choice(name: string, { label, description, sql }: Choice): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .description(description)
    .datasource(USAGE)
    .query({ editorType: 'sql', rawSql: sql, refId: name })
    .definition(sql)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .allowCustomValue(true);
}

const everything = { text: 'All', value: '$__all' };

export const tenantVariable = () =>
  choice('tenant', { label: 'Tenant', description: 'The account; the 1,000 largest are listed', sql: QUERIES.tenants });

export const namespaceVariable = () =>
  choice('namespace', { label: 'Namespace', description: "The tenant's namespaces", sql: QUERIES.namespaces })
    .multi(true)
    .includeAll(true)
    .current(everything);

/** Hidden: what leads from a tenant to the metrics of the door, which know sources only. */
export const sourceVariable = () =>
  choice('source', { label: 'Source', description: 'Who sends for the tenant', sql: QUERIES.sources })
    .multi(true)
    .includeAll(true)
    .current(everything)
    .hide(VariableHide.HideVariable);

export const tenantPeriodVariable = () =>
  choice('period', { label: 'Closed period', description: 'Month, UTC', sql: QUERIES.closedPeriods });

export const periodVariable = () =>
  choice('period', { label: 'Closed period', description: 'Month, UTC', sql: QUERIES.allClosedPeriods });
