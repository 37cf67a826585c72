// ClickHouse: version, rights, clock. Reads only.

import { createClickHouse, type ClickHouse } from '../../../platform/clickhouse.ts';
import type { CommandContext } from '../../command.ts';
import { judgeFact, learn } from '../fact.ts';
import type { Area } from '../finding.ts';
import { GRANTS, judgeClickHouseRights, type ClickHouseRights } from '../judge/clickhouse-rights.ts';
import { judgeSkew } from '../judge/clock.ts';
import { judgeVersion } from '../judge/versions.ts';
import { placeOf } from '../secrets.ts';
import { examine } from '../server.ts';
import { readClock } from './read-clock.ts';

const REQUEST_TIMEOUT_MS = 8_000;

export async function examineClickHouse(context: CommandContext): Promise<Area> {
  return examine({
    area: 'clickhouse',
    variable: 'TRUEUP_CLICKHOUSE_URL',
    open: () => {
      const env = context.env('TRUEUP_CLICKHOUSE_URL', 'TRUEUP_CLICKHOUSE_DATABASE');
      // Its own database: ours may not be there yet, which is a matter of migrations.
      const options = { url: env.TRUEUP_CLICKHOUSE_URL, database: 'default', requestTimeoutMs: REQUEST_TIMEOUT_MS };
      return { env, clickhouse: createClickHouse(options) };
    },
    close: async ({ clickhouse }) => clickhouse.close(),
    place: ({ env }) => placeOf(env.TRUEUP_CLICKHOUSE_URL),
    greet: async ({ clickhouse }) => clickhouse.query('SELECT 1'),
    checks: ['version', 'rights', 'skew to ClickHouse'],
    look: async ({ env, clickhouse }) => {
      const [version, rights, skew] = await Promise.all([
        learn(async () => clickhouse.query<{ version: string }>('SELECT version() AS version')),
        learn(async () => fetchRights(clickhouse, env.TRUEUP_CLICKHOUSE_DATABASE)),
        learn(async () => readClock(async () => fetchNowMs(clickhouse))),
      ]);
      return [
        ...judgeFact('version', version, ([row]) => [judgeVersion('ClickHouse', row?.version ?? '')]),
        ...judgeFact('rights', rights, judgeClickHouseRights),
        ...judgeFact('skew to ClickHouse', skew, (reading) => [judgeSkew('ClickHouse', reading)]),
      ];
    },
  });
}

async function fetchNowMs(clickhouse: ClickHouse): Promise<number> {
  const [row] = await clickhouse.query<{ ms: string }>('SELECT toUnixTimestamp64Milli(now64(3)) AS ms');
  return Number(row?.ms ?? Number.NaN);
}

/** The interface by which an engine says it was asked: over HTTP, as we do, unless something stands before it. */
const OVER_HTTP = 2;

async function fetchRights(clickhouse: ClickHouse, database: string): Promise<ClickHouseRights> {
  const [asked] = await clickhouse.query<{ interface: number; user: string }>(
    'SELECT interface, currentUser() AS user FROM system.processes WHERE query_id = queryID()',
  );
  return {
    embedded: asked?.interface !== OVER_HTTP,
    user: asked?.user ?? '',
    database,
    held: await fetchHeld(clickhouse, database),
  };
}

/** Null when the server doesn't know the question. */
async function fetchHeld(clickhouse: ClickHouse, database: string): Promise<string[] | null> {
  const answers = await Promise.all(
    GRANTS.map(async ({ grant }) => {
      const answer = await learn(async () =>
        clickhouse.query<{ result: number }>(`CHECK GRANT ${grant} ON ${database}.*`),
      );
      return { grant, answer };
    }),
  );
  if (answers.some(({ answer }) => !answer.known)) return null;
  return answers.flatMap(({ grant, answer }) => (answer.known && answer.value[0]?.result === 1 ? [grant] : []));
}
