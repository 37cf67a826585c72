// How many deviating tenants are tenants, and how many are us.

export type FleetPolicy = {
  /** Of the active tenants in one direction; beyond it the cause is ours. */
  readonly widespreadShare: number;
  /** Of the large tenants, who have nothing in common but us. */
  readonly widespreadLargeShare: number;
  /** Fewer than that are never everywhere, however small the fleet. */
  readonly widespreadTenantsMin: number;
  /** Tenants of whom support is told one by one within an hour; what is beyond them becomes one message. */
  readonly singleMessagesPerHour: number;
  readonly hourMs: number;
  /** How long usage must have flowed again before what is still open is believed. */
  readonly settleMs: number;
  /** How long a summary is shown: beyond everything that may still hold it back at Alertmanager. */
  readonly summaryShownMs: number;
};

export const FLEET_POLICY: FleetPolicy = {
  widespreadShare: 0.02,
  widespreadLargeShare: 0.1,
  widespreadTenantsMin: 20,
  // With a summary and four messages about the rest, which are told every 15 minutes at most: ten, which is what one person
  // can look into within the hour.
  singleMessagesPerHour: 5,
  hourMs: 3_600_000,
  // Backlogs are rolled up within minutes, but late buckets look like drops, and catching up looks like a spike, until the
  // half-hour windows of the detectors hold nothing of the outage.
  settleMs: 30 * 60_000,
  summaryShownMs: 60 * 60_000,
};
