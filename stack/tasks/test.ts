// npm test: unit, integration and end-to-end tests, one project after the other. The last line is "N passed, N failed".
// Arguments: project names choose projects; anything else is handed to vitest as a filter.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countTests, type Counts, type Report } from './counts.ts';
import { runTool } from './steps.ts';

const projects = ['unit', 'it', 'e2e'];

function readReport(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    return undefined;
  }
}

const chosen = process.argv.slice(2).filter((word) => projects.includes(word));
const filters = process.argv.slice(2).filter((word) => !projects.includes(word));
const folder = mkdtempSync(join(tmpdir(), 'trueup-test-'));
const all: Counts = { passed: 0, failed: 0, complaints: [] };

for (const project of chosen.length === 0 ? projects : chosen) {
  const file = join(folder, `${project}.json`);
  console.log(`\n── ${project} ──`);
  const reporters = ['--reporter', 'default', '--reporter', 'json', `--outputFile.json=${file}`];
  const { code, seconds } = await runTool(['vitest', 'run', '--project', project, ...reporters, ...filters], true);
  const { passed, failed, complaints } = countTests(project, code, readReport(file));
  console.log(`${project}: ${passed} passed, ${failed} failed in ${seconds} s`);
  all.passed += passed;
  all.failed += failed;
  all.complaints.push(...complaints);
}
rmSync(folder, { recursive: true });
if (all.complaints.length > 0) console.log(`\nNot passed:\n  ${all.complaints.join('\n  ')}`);
console.log(`\n${all.passed} passed, ${all.failed} failed`);
process.exitCode = all.failed === 0 ? 0 : 1;
