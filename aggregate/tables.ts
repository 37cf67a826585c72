// The Postgres tables this room reads and writes, as Kysely sees them. ingest_blocks belongs to ingest; only its
// rolled_up_run is written here.

import type { Generated, JSONColumnType } from 'kysely';

export type StoredCatalogue = { types: string[]; meters: string[]; weights: number[] };

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
    rolled_up_run: string | null;
  };
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
  };
};
