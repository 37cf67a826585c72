import type { AlertCase } from './alert-cases.ts';
import { BILLING_CASES } from './billing-cases.ts';
import { PIPELINE_CASES } from './pipeline-cases.ts';
import { PLATFORM_CASES } from './platform-cases.ts';
import { SLO_CASES } from './slo-cases.ts';
import { WATCHING_CASES } from './watching-cases.ts';

export const ALERT_CASES: readonly AlertCase[] = [
  ...PLATFORM_CASES,
  ...PIPELINE_CASES,
  ...SLO_CASES,
  ...BILLING_CASES,
  ...WATCHING_CASES,
];
