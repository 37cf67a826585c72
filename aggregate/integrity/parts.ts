// I1 below the rows: parts of tables that the engine can't read any more, such as an embedded one leaves behind when its
// disk is full to the last byte at the end of a merge. Reading such a part fails, so nothing counts it silently; what
// the engine set aside by itself at a start is missing without a word, which is why it is looked for too.

import type { ClickHouse } from '../../platform/clickhouse.ts';
import type { CloseDeps } from '../close.ts';
import type { AggregateTables } from '../tables.ts';
import type { Postgres } from '../../platform/postgres.ts';
import { CLICKHOUSE_TABLES } from '../../domain/contracts/tables.ts';
import { QUERIES } from '../queries.ts';
import type { Look, Sight } from './findings.ts';
import type { Sampling } from './sampling.ts';

export type LostPart = {
  readonly table: string;
  readonly part: string;
  /** As the engine names it: YYYYMM where a table has a partition per month. */
  readonly partition: string;
  /** Already out of the table: the engine could not load it. */
  readonly setAside: boolean;
  readonly message: string;
};

type Part = { table: string; part: string; partition: string; bytes: string };
type SetAside = { table: string; part: string; partition: string; reason: string };
type Checked = { is_passed: number; message: string };

/** Larger parts are read to the end only on demand (a full run, a restore). */
const SAMPLED_BYTES_MAX = 1024 ** 3;
const PARTS_PER_LOOK = 6;
const TABLES = Object.values(CLICKHOUSE_TABLES);

/** Checks every part. Throws when the engine does not answer for one. */
export async function fetchLostParts(deps: Pick<CloseDeps, 'clickhouse' | 'db'>): Promise<LostPart[]> {
  return lostOf(deps, await fetchParts(deps.clickhouse));
}

/** The newest parts, some others, those of standing findings, and what is set aside; with `all` every part. */
export async function lookAtParts(deps: CloseDeps, sampling: Sampling, all: boolean): Promise<Look> {
  const parts = await fetchParts(deps.clickhouse);
  const names = parts.filter(({ bytes }) => all || BigInt(bytes) < SAMPLED_BYTES_MAX).map(nameOf);
  const picked = new Set(all ? names : sampling.pick(names, PARTS_PER_LOOK, 'PART_LOST'));
  const lost = await lostOf(
    deps,
    parts.filter((one) => picked.has(nameOf(one))),
  );
  const standing = new Set(parts.map(nameOf));
  // A part that is gone was merged, or restored: what it held is looked for by the other checks.
  const covers = (key: string) => picked.has(key) || !standing.has(key);
  return { kinds: ['PART_LOST'], sights: lost.map(toSight), covers };
}

/** Parts that the engine itself took out of its tables and nobody restored. Reads no part, so it costs nothing. */
export async function lookAtPartsSetAside(deps: Pick<CloseDeps, 'clickhouse' | 'db'>): Promise<Sight[]> {
  return (await fetchPartsSetAside(deps)).map(toSight);
}

function toSight(lost: LostPart): Sight {
  const { table, part, partition, setAside, message } = lost;
  return { kind: 'PART_LOST', key: nameOf(lost), evidence: { table, part, partition, setAside, message } };
}

async function fetchParts(clickhouse: ClickHouse): Promise<Part[]> {
  return clickhouse.query<Part>(QUERIES.standingParts, { tables: TABLES });
}

async function lostOf(deps: Pick<CloseDeps, 'clickhouse' | 'db'>, parts: readonly Part[]): Promise<LostPart[]> {
  const lost: LostPart[] = [];
  for (const part of parts) {
    const message = await checkPart(deps.clickhouse, part);
    if (message !== undefined) lost.push({ ...part, setAside: false, message });
  }
  return [...lost, ...(await fetchPartsSetAside(deps))];
}

async function fetchPartsSetAside({ clickhouse, db }: Pick<CloseDeps, 'clickhouse' | 'db'>): Promise<LostPart[]> {
  const setAside = await clickhouse.query<SetAside>(QUERIES.partsSetAside, { tables: TABLES });
  const restored = await fetchRestored(db);
  return setAside
    .filter((part) => !restored.has(nameOf(part)))
    .map(({ reason, ...part }) => ({ ...part, setAside: true, message: `set aside as ${reason}` }));
}

/** What is wrong with a part; undefined when nothing is, or when it was merged away meanwhile. */
async function checkPart(clickhouse: ClickHouse, { table, part }: Part): Promise<string | undefined> {
  try {
    const rows = await clickhouse.query<Checked>(`CHECK TABLE ${table} PART '${part}'`);
    return rows.find((row) => row.is_passed === 0)?.message;
  } catch (error) {
    const still = (await fetchParts(clickhouse)).some((one) => one.table === table && one.part === part);
    if (still) throw error;
    return undefined;
  }
}

async function fetchRestored(db: Postgres<AggregateTables>): Promise<Set<string>> {
  const rows = await db.selectFrom('part_restorations').select('parts').execute();
  return new Set(rows.flatMap(({ parts }) => parts.map(nameOf)));
}

function nameOf({ table, part }: Pick<Part, 'table' | 'part'>): string {
  return `${table} ${part}`;
}
