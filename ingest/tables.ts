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
  };
};
