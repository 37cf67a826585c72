// Every policy delay in business time, with its reason. Machine timeouts (retries, leases) are not here.

import { HOUR_MS } from '../period.ts';

export const WAITS = {
  /**
   * Temporal Cloud issues invoices on the 3rd: two days for late arrivals, inside Stripe's 72 h maximum. Afterwards a draft
   * that nothing holds is stuck.
   */
  graceMs: 48 * HOUR_MS,
  /** Late usage of a closed period is collected for a day after the barrier before the report is written. */
  lateCollectionMs: 24 * HOUR_MS,
  /** Stripe finalizes an untouched draft about an hour after it was made, so drafts are claimed before that. */
  draftClaimWithinMs: HOUR_MS,
  /** Stripe takes meter events up to 35 days old; a day is kept in hand. */
  meterEventAgeMaxMs: 34 * 24 * HOUR_MS,
  /** A card payment can be disputed for 120 days; until then a closed month keeps its raw events at hand. */
  disputeWindowMs: 120 * 24 * HOUR_MS,
  /** A source's buffers may reach us days after its manifest does; a shortfall younger than grace is not yet due. */
  manifestDueMs: 48 * HOUR_MS,
  /** Sources that are used send a manifest every hour; three that are missing are no longer a delay. */
  sourceSilentMs: 3 * HOUR_MS,
  /** Stripe makes a cycle's invoice within minutes of the period's end; a day covers its incidents. */
  cycleInvoiceMs: 24 * HOUR_MS,
  /** A charge that needs no card may take five banking days to settle: a week of the calendar. */
  paymentSettlesWithinMs: 7 * 24 * HOUR_MS,
  /** A close that is alive takes its barrier within minutes of the end of grace; an hour is a delay. */
  barrierWithinMs: HOUR_MS,
  /** Rollups trail by seconds and a close by minutes; six hours leave time to mend a store before invoices are late. */
  closeWithinMs: 6 * HOUR_MS,
  /** Comparing and writing takes minutes once late usage was collected; half a day covers an outage of the biller. */
  reportWithinMs: 12 * HOUR_MS,
  /** Books are usually signed within ten days after they could be read. */
  signOffWithinMs: 10 * 24 * HOUR_MS,
} as const;
