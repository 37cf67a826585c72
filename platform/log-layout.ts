// Which log a database counts: a topic and its number of partitions, remembered when the first sink starts. Why it must
// never be another one stands in ingest/schema/008_log_layout.postgres.sql.

import { sql, type QueryExecutorProvider } from 'kysely';
import { TrueupError } from '../domain/contracts/errors.ts';

export type LogLayout = { readonly topic: string; readonly partitions: number };

/** To be called before a sink reads anything. Throws `bug` LOG_LAYOUT_CHANGED when another layout is remembered. */
export async function rememberLogLayout(db: QueryExecutorProvider, layout: LogLayout): Promise<void> {
  const { topic, partitions } = layout;
  // What was counted before layouts were remembered says which log it was.
  await sql`
    INSERT INTO log_layout (topic, partitions) SELECT ${topic}, ${partitions}
    WHERE NOT EXISTS (SELECT FROM ingest_blocks WHERE topic <> ${topic} OR partition >= ${partitions})
    ON CONFLICT DO NOTHING`.execute(db);
  const known = await fetchLogLayout(db);
  if (known === undefined) throw changed(layout, 'holds blocks of another log');
  check(layout, known);
}

/** Throws `bug` LOG_LAYOUT_CHANGED when it is not what is remembered; passes while nothing is. */
export async function checkLogLayout(
  db: QueryExecutorProvider,
  layout: Pick<LogLayout, 'topic'> & Partial<LogLayout>,
): Promise<void> {
  const known = await fetchLogLayout(db);
  if (known !== undefined) check(layout, known);
}

function check({ topic, partitions }: Pick<LogLayout, 'topic'> & Partial<LogLayout>, known: LogLayout): void {
  const found = { topic, partitions: partitions ?? known.partitions };
  if (found.topic === known.topic && found.partitions === known.partitions) return;
  throw logLayoutChanged(found, known);
}

export function logLayoutChanged(found: LogLayout, known: LogLayout): TrueupError {
  return changed(found, `counts ${known.topic} with ${known.partitions} partitions`);
}

function changed({ topic, partitions }: LogLayout, says: string): TrueupError {
  return new TrueupError({
    kind: 'bug',
    code: 'LOG_LAYOUT_CHANGED',
    message: `the topic is ${topic} with ${partitions} partitions, but this database ${says}`,
    next: 'set TRUEUP_TOPIC back, or use databases of their own for another log; see docs/operations.md',
  });
}

async function fetchLogLayout(db: QueryExecutorProvider): Promise<LogLayout | undefined> {
  const { rows } = await sql<LogLayout>`SELECT topic, partitions FROM log_layout`.execute(db);
  return rows[0];
}
