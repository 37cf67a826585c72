// The processes of a whole Trueup by the names they have in metrics and in deploy/processes.yaml, and their files in the checkout.

export const stageFiles = {
  ingest: 'ingest/main.ts',
  http: 'ingest/http/main.ts',
  aggregate: 'aggregate/main.ts',
  integrity: 'aggregate/integrity/main.ts',
  reconcile: 'reconcile/main.ts',
  watch: 'watch/main.ts',
} as const;
