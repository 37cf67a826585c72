// How urgent a case is, worst first. What makes it so is reconcile/cases/policy.ts.

export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;

export type Severity = (typeof SEVERITIES)[number];
