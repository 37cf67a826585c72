// What stands, part by part, as one look found it. A part that could not be read says why and has no value (promise I6).

import type { WATCHED_PARTS, WATCHED_SERVERS } from '../domain/contracts/metrics/watch.ts';
import type { Finding } from '../aggregate/integrity/findings.ts';
import type { Books, Hold, Outbox } from '../reconcile/books.ts';
import type { Workflows } from '../reconcile/door.ts';
import type { PeriodStep } from './period-steps.ts';

export type PartName = (typeof WATCHED_PARTS)[number];
export type ServerName = (typeof WATCHED_SERVERS)[number];

export type Part<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: string };

/** Null: it answered; otherwise what went wrong. */
export type Servers = Readonly<Record<ServerName, string | null>>;

/** Offsets by partition. */
export type LogStanding = { readonly ends: readonly bigint[]; readonly stored: readonly bigint[] };

export type RollupStanding = {
  readonly pendingBlocks: number;
  readonly oldestPendingMs: number;
  /** Everything before is in the rollups, by partition. */
  readonly rolledUp: readonly bigint[];
};

export type FindingsStanding = {
  readonly open: readonly Finding[];
  /** Distinct events of the hours whose manifests are due; null when nothing was announced for them. */
  readonly announced: bigint | null;
  /** Of those, how many did not arrive. */
  readonly missing: bigint;
};

export type PeriodStanding = { readonly steps: readonly PeriodStep[] };

export type StorageStanding = {
  readonly diskFreeRatio: number;
  readonly replicas: number;
  readonly replicationLagMs: number;
};

export type ClockStanding = { readonly businessNowMs: number; readonly databaseSkewMs: number };

export type Values = {
  readonly servers: Servers;
  readonly log: LogStanding;
  readonly rollup: RollupStanding;
  readonly findings: FindingsStanding;
  readonly period: PeriodStanding;
  readonly books: Books;
  /** In force. */
  readonly holds: readonly Hold[];
  readonly outbox: Outbox;
  readonly workflows: Workflows;
  readonly storage: StorageStanding;
  readonly clock: ClockStanding;
};

export type Parts = { readonly [Name in PartName]: Part<Values[Name]> };

export type Standing = Parts & { readonly atMs: number };
