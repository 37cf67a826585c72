// Kafka topics and the limits of what they carry.

export const USAGE_TOPIC = 'usage.events.v1';
export const MANIFEST_TOPIC = 'usage.manifests.v1';

export const EVENT_LIMITS = {
  lineBytesMax: 65_536,
  idBytesMax: 256,
  sourceBytesMax: 256,
  quantityIntegerDigitsMax: 20,
  quantityFractionDigitsMax: 12,
  /** Stripe refuses meter events older than this, so a billable event can't be older at arrival. */
  ageMaxMs: 35 * 24 * 3_600_000,
  aheadMaxMs: 5 * 60_000,
} as const;
