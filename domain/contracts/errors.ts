// Errors have four kinds, named by what the caller must do. Expected outcomes are not errors: they are unions.

/**
 * `rejected`: this input can never work. `unavailable`: try later. `conflict`: already done, or held by another.
 * `bug`: an invariant broke; stop and page.
 */
export type ErrorKind = 'rejected' | 'unavailable' | 'conflict' | 'bug';

export const ERROR_CODES = [
  'AGREEMENT_CHANGED',
  'AGREEMENT_INVALID',
  'ALERT_REFUSED',
  'ALERTMANAGER_UNAVAILABLE',
  'CASE_INVALID',
  'CASE_STATE',
  'CASE_UNKNOWN',
  'CLOCK_LIVE_KEY',
  'CLOCK_BACKWARDS',
  'CLOCK_NOT_SET',
  'CLOCK_WALL',
  'CLOSE_DIGEST_CHANGED',
  'CONTRACT_START_INVALID',
  'CURRENCY_UNPRICED',
  'CLICKHOUSE_FAILED',
  'CLICKHOUSE_UNAVAILABLE',
  'DECIMAL_INVALID',
  'ENV_INVALID',
  'HOLD_STATE',
  'INVARIANT_BROKEN',
  'KAFKA_REJECTED',
  'KAFKA_UNAVAILABLE',
  'LOG_LAYOUT_CHANGED',
  'METER_HOUR_TOO_OLD',
  'NOT_PERMITTED',
  'OPS_PORT_TAKEN',
  'PART_UNRESTORABLE',
  'PERIOD_INVALID',
  'PERIOD_LOCKED',
  'PERIOD_NOT_ENDED',
  'PERIOD_STATE',
  'PLAN_UNKNOWN',
  'POSTGRES_UNAVAILABLE',
  'QUANTITY_TOO_LARGE',
  'REJECT_UNKNOWN',
  'REPLAY_REFUSED',
  'REPAIR_REFUSED',
  'REPAIR_STALE',
  'REPAIR_STATE',
  'REPAIR_UNKNOWN',
  'ROLLUP_BEHIND',
  'RUN_UNKNOWN',
  'SCHEMA_AHEAD',
  'SCHEMA_BEHIND',
  'SCHEMA_CHANGED',
  'SCHEMA_IN_USE',
  'SHARD_GONE',
  'SIGN_OFF_STATE',
  'STORES_DIVERGED',
  'STRIPE_AUTHENTICATION',
  'STRIPE_CARD_DECLINED',
  'STRIPE_IDEMPOTENCY',
  'STRIPE_IN_PROGRESS',
  'STRIPE_NOT_FOUND',
  'STRIPE_RATE_LIMITED',
  'STRIPE_REJECTED',
  'STRIPE_SIGNATURE',
  'STRIPE_UNAVAILABLE',
  'STRIPE_UNEXPECTED',
  'SUMMARY_NOT_READY',
  'USAGE_DAMAGED',
  'USAGE_UNREADABLE',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export type ErrorDetails = {
  readonly kind: ErrorKind;
  readonly code: ErrorCode;
  readonly message: string;
  /** The input field at fault, if one is. */
  readonly field?: string;
  /** What the reader should do now. */
  readonly next?: string;
  /** Ids and counts for the log; never secrets, names or addresses. */
  readonly context?: Readonly<Record<string, string | number | boolean>>;
  readonly cause?: unknown;
};

export class TrueupError extends Error {
  readonly kind: ErrorKind;
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly next: string | undefined;
  readonly context: Readonly<Record<string, string | number | boolean>>;

  constructor(details: ErrorDetails) {
    super(details.next === undefined ? details.message : `${details.message}: ${details.next}`, {
      cause: details.cause,
    });
    this.name = 'TrueupError';
    this.kind = details.kind;
    this.code = details.code;
    this.field = details.field;
    this.next = details.next;
    this.context = details.context ?? {};
  }

  get retryable(): boolean {
    return this.kind === 'unavailable';
  }
}

/** Throws `bug` INVARIANT_BROKEN. `promise` names the promise of ARCHITECTURE.md that would be broken, such as "I4". */
export function invariant(condition: boolean, promise: string, message: string): asserts condition {
  if (!condition) {
    throw new TrueupError({ kind: 'bug', code: 'INVARIANT_BROKEN', message: `${promise}: ${message}` });
  }
}
