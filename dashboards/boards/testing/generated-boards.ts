// For tests: the boards as Grafana reads them, from their committed files.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UIDS } from '../links.ts';
import { readBoard, type ReadBoard } from '../language/read-board.ts';

export const GENERATED = join(import.meta.dirname, '../../generated');

export function readBoards(): ReadBoard[] {
  return Object.values(UIDS).map((uid) =>
    readBoard(JSON.parse(readFileSync(join(GENERATED, `grafana/dashboards/${uid}.json`), 'utf8'))),
  );
}
