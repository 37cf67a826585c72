// The Postgres tables of this room, as Kysely sees them. bigint columns go in and come out as strings.

import type { Generated } from 'kysely';

export type IngestTables = {
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
    rolled_up_run: Generated<string | null>;
    trace: Generated<string | null>;
    blocks: Generated<number>;
  };
  reject_replays: {
    id: Generated<string>;
    case_id: string;
    operator: string;
    why: string;
    topic: string;
    partition: number;
    offset: string;
    subject: string;
    source: string;
    event_id: string;
    line_sha256: string;
    corrected: boolean;
    requested_at: Generated<Date>;
    outcome: 'COUNTED' | 'COUNTED_BEFORE' | null;
    stored_partition: number | null;
    stored_offset: string | null;
    events_before: string | null;
    events_after: string | null;
    finished_at: Date | null;
  };
};
