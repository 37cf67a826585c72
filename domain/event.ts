// A usage event and its identity. CloudEvents 1.0 attributes, flat; `subject` is the namespace.

export type UsageEvent = {
  readonly id: string;
  readonly source: string;
  /** `<name>.<account>` */
  readonly subject: string;
  readonly type: string;
  /** When the usage happened, epoch milliseconds. */
  readonly atMs: number;
  /** Plain decimal, not negative. */
  readonly quantity: string;
  /** The id this event takes back; empty unless type is `void`. */
  readonly voids: string;
};

/**
 * The Kafka key of an event: every copy of an identity meets in one partition, where the first copy wins.
 * Subject and source hold no spaces, so the three parts can't be confused.
 */
export function identityKey(event: Pick<UsageEvent, 'subject' | 'source' | 'id'>): string {
  return `${event.subject} ${event.source} ${event.id}`;
}

/** The account a namespace belongs to by its name: `payments.acme` → `acme`. */
export function accountOf(subject: string): string {
  return subject.slice(subject.indexOf('.') + 1);
}
