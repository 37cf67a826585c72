// Every board.

import type { Board } from './board.ts';
import { createBilling } from './billing.ts';
import { createTenant } from './tenant.ts';
import { createUsagePipeline } from './usage-pipeline.ts';

export function createBoards(runbooks?: string): Board[] {
  return [createUsagePipeline(runbooks), createBilling(runbooks), createTenant(runbooks)];
}
