// The tables of this room's doorbells, as Kysely sees them. bigint columns arrive as strings.

import type { Generated, JSONColumnType, Kysely } from 'kysely';

export type Origin = 'rung' | 'swept';
export type EventState = 'received' | 'processed' | 'ignored' | 'failed';

export type WebhookTables = {
  stripe_events: {
    id: string;
    type: string;
    thin: boolean;
    object: string;
    object_id: string | null;
    parent_id: string | null;
    created: Date;
    received_at: Generated<Date>;
    origin: Origin;
    state: Generated<EventState>;
    attempts: Generated<number>;
    due_at: Generated<Date>;
    failure: string | null;
  };
  stripe_refetches: {
    kind: 'invoice' | 'subscription' | 'meter';
    object_id: string;
    origin: Origin;
    rung: string;
    served: Generated<string>;
    attempts: Generated<number>;
    due_at: Generated<Date>;
    status: string | null;
    fetched_at: Date | null;
    failure: string | null;
  };
  stripe_sweeps: { name: string; cursor: Date; swept_at: Generated<Date> };
  meter_errors: {
    event_id: string;
    code: string;
    meter: string | null;
    customer: string | null;
    window_start: Date;
    window_end: Date;
    error_count: string;
    sample_ids: JSONColumnType<string[]>;
    created: Date;
  };
};

export type WebhookDb = Kysely<WebhookTables>;
