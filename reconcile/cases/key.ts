// What makes two runs speak of the same difference: period, account, code, meter and currency. Pure. Its spelling is the
// case's id, at the biller as well; no part holds a dot, and no meter is named like a currency, so none reads as another.

export type CaseKey = {
  readonly period: string;
  readonly account: string;
  readonly code: string;
  /** Null when the difference is not one meter's. */
  readonly meter: string | null;
  readonly currency: string;
};

/** `2026-10.acme.USAGE_LATE.actions.usd`, or without the meter where there is none. */
export function toCaseId({ period, account, code, meter, currency }: CaseKey): string {
  return [period, account, code, ...(meter === null ? [] : [meter]), currency].join('.');
}
