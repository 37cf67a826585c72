// Where a panel leads: to the runbook of the alert that watches the same thing, or to the board that shows more.

import { ConstantVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Link } from './panels.ts';

export const UIDS = {
  pipeline: 'trueup-usage-pipeline',
  billing: 'trueup-billing',
  tenant: 'trueup-tenant',
} as const;

const RUNBOOKS = 'runbooks';

/** Where Grafana serves the files of dashboards/runbooks; compose.yaml mounts them there. */
const RUNBOOKS_ADDRESS = '/public/runbooks/';

/** Another Grafana, where runbooks are elsewhere, has another address here. */
export function runbooksVariable(address = RUNBOOKS_ADDRESS): ConstantVariableBuilder {
  return new ConstantVariableBuilder(RUNBOOKS)
    .label('Runbooks')
    .description('Where runbooks are, one file per alert')
    .value(address);
}

/** `alert` names a row of dashboards/alerts, and with it dashboards/runbooks/<alert>.md. */
export function runbook(alert: string): Link {
  return { title: `Runbook ${alert}`, url: `\${${RUNBOOKS}}${alert}.md` };
}

export function board(name: keyof typeof UIDS, title: string): Link {
  return { title, url: `/d/${UIDS[name]}?\${__url_time_range}` };
}

/** For a cell that names a tenant. */
export const TENANT_OF_CELL: Link = {
  title: 'This tenant',
  url: `/d/${UIDS.tenant}?var-tenant=\${__value.raw}&\${__url_time_range}`,
};
