// The Postgres tables this room reads and writes, as Kysely sees them. ingest_blocks belongs to ingest; only its
// rolled_up_run is written here, and old rows are joined.

import type { Generated, JSONColumnType } from 'kysely';
import type { FindingKind } from '../domain/contracts/integrity-findings.ts';

export type StoredCatalogue = { types: string[]; meters: string[]; weights: number[] };

/** One file of an archive, by its name below the archive's folder. */
export type ArchiveFile = { name: string; rows: number; bytes: number; sha256: string };

export type AggregateTables = {
  ingest_blocks: {
    block: string;
    seq: Generated<string>;
    topic: string;
    partition: number;
    first_offset: string;
    end_offset: string;
    messages: number;
    accepted: number;
    rejected: number;
    stored_at: Generated<Date>;
    rolled_up_run: string | null;
    trace: Generated<string | null>;
    blocks: Generated<number>;
  };
  rollup_shards: {
    shard: number;
    owner: string | null;
    leased_until: Date | null;
    wanted_by: string | null;
    runs_taken: Generated<string>;
  };
  rollup_shards_done: { block: string; shards: number; shard: number };
  periods: {
    key: string;
    state: 'CLOSING' | 'CLOSED';
    topic: string;
    barrier: JSONColumnType<string[]>;
    barrier_at: Date;
    closed_at: Date | null;
    digest: string | null;
    events: string | null;
    catalogue: JSONColumnType<StoredCatalogue>;
    conflicts_swept: string | null;
  };
  part_restorations: {
    id: Generated<string>;
    topic: string;
    parts: JSONColumnType<{ table: string; part: string }[]>;
    from_offsets: JSONColumnType<string[]>;
    to_offsets: JSONColumnType<string[]>;
    since_seq: string;
    recorded_at: Generated<Date>;
    restored_at: Date | null;
  };
  adjustment_runs: {
    period: string;
    k: number;
    barrier: JSONColumnType<string[]>;
    posted_to: string;
    recorded_at: Generated<Date>;
  };
  period_adjustments: {
    period: string;
    k: number;
    account: string;
    namespace: string;
    meter: string;
    quantity: string;
  };
  period_archives: {
    period: string;
    state: 'ARCHIVING' | 'VERIFIED' | 'DROPPING' | 'DROPPED';
    folder: string;
    files: JSONColumnType<ArchiveFile[]>;
    digest: string | null;
    log_ends: JSONColumnType<string[], string | undefined> | null;
    archived_at: Date;
    verified_at: Date | null;
    dropped_at: Date | null;
  };
  integrity_findings: {
    kind: FindingKind;
    key: string;
    state: 'SUSPECTED' | 'OPEN' | 'RESOLVED';
    seen: number;
    first_seen: Date;
    last_seen: Date;
    evidence: JSONColumnType<Record<string, string | number | boolean | string[]>>;
    resolved_at: Date | null;
  };
  tenant_pins: { account: string; reason: string; pinned_by: string; pinned_at: Date };
};
