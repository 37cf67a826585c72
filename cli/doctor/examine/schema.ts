// Both databases' halves of the schema, which stand in one plan, and of the state, which must fit together. Reads only.

import { createClickHouse } from '../../../platform/clickhouse.ts';
import { checkLogLayout } from '../../../platform/log-layout.ts';
import { planMigration } from '../../../platform/migrate.ts';
import { createPostgres } from '../../../platform/postgres.ts';
import { readSchemaFiles } from '../../../platform/schema-files.ts';
import { checkStoresAgree, type FencedTables } from '../../../platform/store-fence.ts';
import type { CommandContext } from '../../command.ts';
import { judgeFact, learn } from '../fact.ts';
import { ok, type Area } from '../finding.ts';
import { judgeSchema } from '../judge/schema.ts';
import { placeOf } from '../secrets.ts';
import { examine } from '../server.ts';

export async function examineSchema(context: CommandContext): Promise<Area> {
  return examine({
    area: 'schema',
    variable: 'TRUEUP_POSTGRES_URL or TRUEUP_CLICKHOUSE_URL',
    open: () => {
      const env = context.env(
        'TRUEUP_POSTGRES_URL',
        'TRUEUP_CLICKHOUSE_URL',
        'TRUEUP_CLICKHOUSE_DATABASE',
        'TRUEUP_TOPIC',
      );
      const options = {
        postgresUrl: env.TRUEUP_POSTGRES_URL,
        clickhouseUrl: env.TRUEUP_CLICKHOUSE_URL,
        clickhouseDatabase: env.TRUEUP_CLICKHOUSE_DATABASE,
      };
      const clickhouse = createClickHouse({ url: options.clickhouseUrl, database: options.clickhouseDatabase });
      return { options, topic: env.TRUEUP_TOPIC, clickhouse, db: createPostgres<FencedTables>(options.postgresUrl, 1) };
    },
    close: async ({ db, clickhouse }) => Promise.allSettled([db.destroy(), clickhouse.close()]),
    place: ({ options }) => `${placeOf(options.postgresUrl)} or ${placeOf(options.clickhouseUrl)}`,
    // Whether each answers is told in its own area; here it is why there is no plan.
    greet: async () => Promise.resolve(),
    checks: ['migrations', 'stores'],
    look: async ({ options, topic, db, clickhouse }) => {
      const plan = await learn(async () => planMigration(options));
      const migrations = judgeFact('migrations', plan, (found) => judgeSchema(found, readSchemaFiles().length));
      // Tables that aren't there yet can't disagree.
      if (!plan.known || plan.value.expand.length > 0) return migrations;
      const agreement = await learn(async () => {
        await checkLogLayout(db, { topic });
        await checkStoresAgree({ clickhouse, db, topic });
      });
      const agreed = ok('stores', 'Postgres and ClickHouse hold halves of one state');
      return [...migrations, ...judgeFact('stores', agreement, () => [agreed])];
    },
  });
}
