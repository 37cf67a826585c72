// The report page printed to PDF by a Chromium that is already on the machine. There may be none: then there is no PDF, and
// the caller says so.

import { execFile } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const PRINT_MS_MAX = 60_000;

/** The path of a Chromium, or undefined: the one TRUEUP_CHROMIUM names, else the first on the PATH. */
export function findChromium(env: {
  readonly TRUEUP_CHROMIUM?: string | undefined;
  readonly PATH?: string | undefined;
}): string | undefined {
  const { TRUEUP_CHROMIUM: named, PATH: path = '' } = env;
  const onPath = path.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...(named === undefined ? [] : [named]), ...onPath].find((path) => isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Prints a local page, A4 as its style says, without loading anything from elsewhere. Throws what Chromium said. */
export async function printPdf(chromium: string, page: string, pdf: string): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), 'trueup-print-'));
  try {
    await promisify(execFile)(
      chromium,
      [
        '--headless',
        // The page is our own file without scripts; containers have no user namespaces for a sandbox.
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--no-pdf-header-footer',
        `--user-data-dir=${profile}`,
        `--print-to-pdf=${pdf}`,
        pathToFileURL(page).href,
      ],
      { timeout: PRINT_MS_MAX },
    );
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
  }
}
