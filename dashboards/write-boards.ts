// Writes what Grafana and its ClickHouse user are made of to generated/; a test compares it with the code it comes from.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renderBoards, type BoardsOptions } from './boards/render.ts';

const generated = join(import.meta.dirname, 'generated');

/** Returns the files it wrote. */
export function writeBoards(options: BoardsOptions = {}): readonly string[] {
  const texts = [...renderBoards(options)].map(([path, text]) => [join(generated, path), text] as const);
  for (const [file, text] of texts) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return texts.map(([file]) => file);
}
