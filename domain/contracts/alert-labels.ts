// The words of alerts: labels that every alert carries, whoever raises it, and the names of those that detectors post to
// Alertmanager themselves. Routes and inhibitions are built from these; a label outside these lists reaches nobody.

/** Platform alerts are about Trueup, tenant alerts about one customer's usage. */
export const ALERT_SCOPES = ['platform', 'tenant'] as const;
export type AlertScope = (typeof ALERT_SCOPES)[number];

/** `page`: someone must act now. `ticket`: someone must act on a working day. `info`: worth a line in the digest. */
export const ALERT_SEVERITIES = ['page', 'ticket', 'info'] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

/** What suffers. While the usage pipeline or the API does, nothing said of a single tenant can be trusted. */
export const ALERT_IMPACTS = ['usage_pipeline', 'api', 'billing', 'watching'] as const;
export type AlertImpact = (typeof ALERT_IMPACTS)[number];

export const ALERT_TEAMS = ['platform', 'billing', 'data-plane', 'support', 'security'] as const;
export type AlertTeam = (typeof ALERT_TEAMS)[number];

/** Alerts that no rule of Prometheus raises, because one series per tenant would drown it. */
export const POSTED_ALERTS = {
  /** One tenant's usage is not what it should be; one alert per episode. */
  tenantAnomaly: 'TenantAnomaly',
  /** More tenants deviate than support could look at one by one; names how many, and the largest. */
  moreTenantAnomalies: 'MoreTenantAnomalies',
  /** So many deviate at once, in one direction, that the cause is ours. */
  anomaliesWidespread: 'AnomaliesWidespread',
  /** What an outage left behind, told once after it. */
  tenantsAfterOutage: 'TenantsAfterOutage',
  /** The tenant is suspended, or has announced what it does: its anomalies are expected. */
  tenantExpected: 'TenantExpected',
} as const;
