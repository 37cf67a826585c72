// The schema as files: every room keeps its numbered ones in <room>/schema/NNN_<what>.<database>.sql. A file whose first
// line says `-- phase: contract` takes away what the release before still uses; every other file only adds (expand), so
// that the release before goes on working on it.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Rooms in the order in which their tables may refer to each other. */
const ROOMS = ['platform', 'accounts', 'ingest', 'aggregate', 'reconcile'] as const;

export type SchemaPhase = 'expand' | 'contract';

export type SchemaFile = {
  readonly name: string;
  readonly database: 'clickhouse' | 'postgres';
  readonly phase: SchemaPhase;
  readonly text: string;
};

const SCHEMA_NAME = /^(\d{3})_[a-z0-9_]+\.(clickhouse|postgres)\.sql$/;
const CONTRACT = /^-- phase: contract$/;

/** All schema files, rooms in order, numbers ascending within a room. */
export function readSchemaFiles(root = new URL('..', import.meta.url)): SchemaFile[] {
  return ROOMS.flatMap((room) => {
    const folder = new URL(`${room}/schema/`, root);
    const names = readdirSync(fileURLToPath(folder), { withFileTypes: true }).map((entry) => entry.name);
    return names.sort().flatMap((file) => {
      const database = SCHEMA_NAME.exec(file)?.[2];
      if (database !== 'clickhouse' && database !== 'postgres') return [];
      const text = readFileSync(new URL(file, folder), 'utf8');
      return [{ name: `${room}/${file}`, database, phase: phaseOf(text), text }];
    });
  });
}

/** By its first line. */
export function phaseOf(text: string): SchemaPhase {
  return CONTRACT.test(text.split('\n', 1)[0] ?? '') ? 'contract' : 'expand';
}

/** Statements of a ClickHouse file; the engine's HTTP interface takes one at a time. */
export function splitStatements(text: string): string[] {
  return text
    .replace(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
