// The second door of this room: what people do about a run, and who did it. It opens nothing but the database, so commands
// start fast and work while Stripe, Temporal and the pipeline are down.

export { verifyAuditLog } from './audit-log/check.ts';
export {
  appendAudit,
  fetchEntries as fetchAuditEntries,
  fetchHead as fetchAuditHead,
  inAuditedTransaction,
} from './audit-log/log.ts';
export type { KnownAnchor } from './audit-log/verify.ts';
export { actOnCase, fetchCase, fetchCaseEvidence, fetchCases, type Case, type CaseEntry } from './cases/book.ts';
export { isSettled, type CaseEvent } from './cases/states.ts';
export { addHold, fetchAllHolds, releaseHold } from './holds/book.ts';
export { computeHoldState, type Hold, type HoldKind } from './holds/compute.ts';
export { applyRepair } from './repairs/apply.ts';
export { approveRepair, dropRepair, insertRepair } from './repairs/book.ts';
export { applyBulk, approveBulk, dropBulk, fetchBulk, insertBulk, type StoredBulk } from './repairs/bulk-book.ts';
export { scaleHours, type NewTiers } from './repairs/bulk-money.ts';
export type { BulkPlan } from './repairs/bulk.ts';
export type { RepairChoice, RepairPlan } from './repairs/plan.ts';
export { describeStep } from './repairs/steps.ts';
export { fetchRepair, fetchRepairs, type Repair } from './repairs/stored.ts';
export {
  approveSignOff,
  fetchSignOffStatus,
  prepareSignOff,
  reopenPeriod,
  type SignOffStatus,
} from './sign-off/book.ts';
export { fetchBooks, fetchIsSigned, type Books } from './standing/books.ts';
export { fetchOutbox, type Outbox } from './standing/outbox.ts';
export type { ReconcileTables } from './store/tables.ts';
export { describeDiff } from './runs/diff.ts';
export { diffRuns, fetchStandingRun, openRevision, rerunOffline } from './runs/rerun.ts';
export { fetchRunSummaries, fetchRunSummary, type RunSummary } from './store/revisions.ts';
