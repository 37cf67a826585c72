// Writes what Prometheus and Alertmanager read to generated/; a test compares it with the tables it comes from.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renderAlertmanagerConfig } from './alertmanager/config.ts';
import { renderRules, type RulesOptions } from './prometheus/rules.ts';

const generated = join(import.meta.dirname, 'generated');

export const RULES_FILE = join(generated, 'prometheus', 'rules.yaml');
export const ALERTMANAGER_FILE = join(generated, 'alertmanager', 'alertmanager.yaml');

/** Returns the files it wrote. */
export function writeRules(options: RulesOptions = {}): readonly string[] {
  const texts = new Map([
    [RULES_FILE, renderRules(options)],
    [ALERTMANAGER_FILE, renderAlertmanagerConfig(options.pace)],
  ]);
  for (const [file, text] of texts) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return [...texts.keys()];
}
