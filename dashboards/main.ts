// npm run dashboards: writes rules, routes and boards to dashboards/generated/. Run it after changing a table.

import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { writeBoards } from './write-boards.ts';
import { writeRules } from './write-rules.ts';

const { values } = parseArgs({
  options: {
    /** Where on-call reads runbooks, when not in a checkout; ends with a slash. */
    runbooks: { type: 'string' },
  },
});

const runbooks = values.runbooks === undefined ? {} : { runbooks: values.runbooks };
for (const file of [...writeRules(runbooks), ...writeBoards(runbooks)]) console.log(relative(process.cwd(), file));
