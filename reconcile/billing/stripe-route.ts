// The route of a request to Stripe: its path with ids replaced and without its query. Only words that are known to be no
// ids stay, so a path nobody thought of shows too little and never a customer. Pure.

const WORDS: ReadonlySet<string> = new Set(
  `v1 v2 auto_advance billing core coupons credit_grants credit_notes customers event_summaries events finalize
  invoice_payments invoiceitems invoices lines mark_uncollectible meter_event_adjustments meter_event_session
  meter_event_stream meter_events meters prices products search subscription_items subscriptions tax_rates void`.split(
    /\s+/,
  ),
);

export function toRoute(path: string): string {
  const [bare = ''] = path.split('?', 1);
  return bare
    .split('/')
    .map((segment) => (segment === '' || WORDS.has(segment) ? segment : '{id}'))
    .join('/');
}
