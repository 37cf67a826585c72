// Temporal workflow ids that somebody else than their starter needs to know.

/** The id is the business key: one close per period (YYYY-MM), whoever starts it and however often. */
export function closeIdOf(periodKey: string): string {
  return `close-${periodKey}`;
}
