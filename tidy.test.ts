// The house rules as one test: which room may import which, who may touch a vendor's SDK, and how large things get.
// A rule that is not checked rots, so none of these is a warning.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = import.meta.dirname;
const SKIPPED = new Set(['node_modules', '.git', 'out', '.stack']);

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [relative(ROOT, path)];
  });
}

const files = filesBelow(ROOT);
const sources = files.filter((file) => /\.(ts|js)$/.test(file));
const isTest = (file: string) => file.endsWith('.test.ts') || file.includes('/testing/');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

type Import = { from: string; to: string; typeOnly: boolean };

function importsOf(file: string): Import[] {
  const pattern =
    /^(import|export)\s+(type\s+)?[^'"`;]*?\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gms;
  return [...read(file).matchAll(pattern)].map((match) => ({
    from: file,
    to: match[3] ?? match[4] ?? match[5] ?? '',
    typeOnly: match[2] !== undefined,
  }));
}

const imports = sources.flatMap(importsOf);
const inside = imports
  .filter(({ to }) => to.startsWith('.'))
  .map((edge) => ({ ...edge, to: normalize(join(dirname(edge.from), edge.to)) }));
const room = (file: string) => file.split('/')[0] ?? '';

/** What a room may import besides itself: rooms, or single files (doors). `*` means anything. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  platform: ['domain'],
  accounts: ['domain', 'platform'],
  ingest: ['domain', 'platform', 'accounts/door.ts', 'accounts/principals.ts', 'accounts/api-key.ts'],
  aggregate: ['domain', 'platform'],
  reconcile: ['domain', 'platform', 'accounts/door.ts', 'accounts/people.ts', 'aggregate/usage.ts'],
  anomaly: ['domain', 'platform', 'accounts/door.ts', 'aggregate/usage.ts'],
  watch: ['domain', 'platform', 'accounts', 'aggregate', 'reconcile/books.ts', 'reconcile/door.ts'],
  cli: ['domain', 'platform', 'accounts', 'ingest', 'aggregate', 'reconcile/books.ts', 'reconcile/door.ts', 'watch'],
  stack: [],
  // Its test alone: what the image must hold.
  deploy: ['domain'],
  dashboards: ['domain', 'platform'],
  // Its walks run everything; nothing but its own tests and main imports them.
  'dashboards/runbooks': ['*'],
  bench: ['*'],
  'fixtures/dataplane': ['fixtures/dataplane'],
  // Its tests let the data plane plan a world for it.
  'fixtures/oracle': ['fixtures/oracle', 'fixtures/dataplane'],
  'fixtures/stripe': ['fixtures/stripe'],
  'fixtures/scenarios': ['*'],
  'fixtures/demo': ['*'],
  'fixtures/torture': ['*'],
  'fixtures/drill': ['*'],
  'fixtures/alerts': ['*'],
  'fixtures/boards': ['*'],
  // Its biller must not share the product's arithmetic: it may see shapes, the agreement's data and the comparison under test.
  'fixtures/fuzz-breaks': ['domain', 'reconcile', 'fixtures/dataplane'],
};

function arrowsOf(file: string): readonly string[] | undefined {
  const [top = '', second = ''] = file.split('/');
  return ARROWS[`${top}/${second}`] ?? ARROWS[top];
}

describe('rooms', () => {
  test('every source file stands in a known room', () => {
    const strays = sources.filter((file) => file.includes('/') && arrowsOf(file) === undefined);
    expect(strays).toEqual([]);
  });

  test('imports follow the arrows of ARCHITECTURE.md', () => {
    const wrong = inside.filter(({ from, to }) => {
      const allowed = arrowsOf(from);
      if (allowed === undefined || allowed.includes('*')) return false;
      const ownRoom = from.startsWith('fixtures/') ? from.split('/').slice(0, 2).join('/') : room(from);
      if (to.startsWith(`${ownRoom}/`)) return false;
      // Tests may use the running stack; nothing else of it.
      if (isTest(from) && to.startsWith('stack/')) return false;
      // Integration tests of a stage wire what its main.ts wires.
      if (from.endsWith('.it.test.ts') && !from.startsWith('fixtures/')) return false;
      return !allowed.some((target) => to === target || to.startsWith(`${target}/`));
    });
    expect(wrong).toEqual([]);
  });

  test('a workflow imports nothing but the workflow SDK, pure nouns and types', () => {
    const workflows = sources.filter((file) => /(^|\/)workflows?\.ts$/.test(file));
    const wrong = workflows.flatMap(importsOf).filter(({ from, to, typeOnly }) => {
      if (typeOnly || to === '@temporalio/workflow' || to === '@temporalio/common') return false;
      const target = normalize(join(dirname(from), to));
      return !target.startsWith('domain/');
    });
    expect(wrong).toEqual([]);
  });
});

const TRACING = [/^platform\/tracing-(otlp|outgoing|temporal)\.ts$/];

/** Files that may import a vendor's SDK at run time. A swap of the vendor must cost these files only. */
const VENDORS: Readonly<Record<string, readonly RegExp[]>> = {
  kafkajs: [
    /^bench\/pass-through-consumer\.ts$/,
    /^fixtures\/dataplane\/testing\//,
    /^platform\/kafka(-topics)?\.ts$/,
    /^fixtures\/dataplane\/kafka\.ts$/,
    /^stack\/servers\/(kafka|topics)\.ts$/,
  ],
  stripe: [
    /^fixtures\/stripe\/conformance\//,
    /^fixtures\/demo\/simulated-time\.ts$/,
    /^reconcile\/billing\/(stripe[a-z-]*|errors)\.ts$/,
  ],
  chdb: [/^stack\/clickhouse\/engine\.ts$/],
  '@clickhouse/client': [/^platform\/clickhouse\.ts$/],
  pg: [/^platform\/(postgres|migrate)\.ts$/, /^stack\/servers\/postgres\.ts$/],
  ioredis: [/^platform\/(queue|redis|redis-info)\.ts$/, /^stack\/servers\/redis\.ts$/],
  bullmq: [/^platform\/queue\.ts$/],
  pino: [/^platform\/log\.ts$/],
  'prom-client': [/^platform\/metrics\.ts$/],
  echarts: [/^reconcile\/report-html\//, /^fixtures\/boards\/draw\//],
  '@grafana/grafana-foundation-sdk': [/^dashboards\/boards\//],
  '@prometheus-io/lezer-promql': [/^dashboards\/boards\/language\/promql\.ts$/],
  testcontainers: [/^stack\//],
  '@opentelemetry/api': TRACING,
  '@opentelemetry/context-async-hooks': TRACING,
  '@opentelemetry/core': TRACING,
  '@opentelemetry/exporter-trace-otlp-http': TRACING,
  '@opentelemetry/resources': TRACING,
  '@opentelemetry/sdk-trace-base': TRACING,
  '@temporalio/interceptors-opentelemetry': TRACING,
};

describe('vendors', () => {
  test('each SDK is imported where its port is, and nowhere else', () => {
    const wrong = imports.filter(({ from, to, typeOnly }) => {
      const allowed = VENDORS[to.startsWith('@') ? to.split('/').slice(0, 2).join('/') : (to.split('/')[0] ?? '')];
      return allowed !== undefined && !typeOnly && !isTest(from) && !allowed.some((place) => place.test(from));
    });
    expect(wrong).toEqual([]);
  });
});

describe('habits', () => {
  const product = sources.filter(
    (file) => !isTest(file) && !/^(stack|fixtures|bench)\//.test(file) && file.includes('/'),
  );

  test('only entry points and platform read the environment', () => {
    const wrong = product.filter((file) => !/(^|\/)(main|env)\.ts$/.test(file) && read(file).includes('process.env'));
    expect(wrong).toEqual([]);
  });

  test('pure code does not read the machine clock', () => {
    const pure = product.filter((file) => /^domain\/|\/compare\//.test(file));
    expect(pure.filter((file) => /Date\.now\(|new Date\(\)/.test(read(file)))).toEqual([]);
  });

  test('no number is parsed from money or quantity', () => {
    const exact = product.filter((file) => /^(domain|accounts|reconcile|aggregate)\//.test(file));
    expect(exact.filter((file) => /parseFloat\(|toFixed\(/.test(read(file)))).toEqual([]);
  });

  test('no file is called utils or the like', () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|manager|service|common|misc)(\.|\/)/.test(file))).toEqual([]);
  });

  test('files stay small', () => {
    const long = sources.filter((file) => read(file).split('\n').length > (isTest(file) ? 500 : 320));
    expect(long).toEqual([]);
  });

  test('nothing large and nothing secret is committed', () => {
    const large = files.filter((file) => file !== 'package-lock.json' && statSync(join(ROOT, file)).size > 300_000);
    expect(large).toEqual([]);
    // Assembled here so that this file doesn't hold what it looks for.
    const secrets = new RegExp(['sk', 'rk'].map((kind) => `${kind}_live_[A-Za-z0-9]{10}`).join('|'));
    expect(files.filter((file) => /\.(ts|js|json|md|yaml|example)$/.test(file) && secrets.test(read(file)))).toEqual(
      [],
    );
  });
});

const withoutRemarks = (text: string) => text.replace(/^\s*--.*$/gm, '');

describe('schema and queries', () => {
  test('schema files are numbered without gaps or twins', () => {
    const folders = Map.groupBy(
      files.filter((file) => /\/schema\/.*\.sql$/.test(file)),
      (file) => dirname(file),
    );
    for (const [folder, members] of folders) {
      const numbers = members.map((file) => Number(/\/(\d{3})_/.exec(file)?.[1])).sort((a, b) => a - b);
      expect(numbers, folder).toEqual(numbers.map((_, index) => index + 1));
    }
  });

  // While a release is rolled out, the one before it works on the same tables, which have grown.
  const statements = files.filter(
    (file) => /\.(ts|sql)$/.test(file) && !isTest(file) && !/^(fixtures|bench)\//.test(file),
  );

  test('an insert names its columns, so that a column added later keeps its default', () => {
    const nameless = /\bINSERT INTO\s+\S+\s+(?!\()(VALUES|SELECT|FORMAT|WITH)\b/i;
    // Into a table that the same file has just made.
    const atBirth = ['reconcile/schema/003_audit_log.postgres.sql'];
    expect(statements.filter((file) => !atBirth.includes(file) && nameless.test(read(file)))).toEqual([]);
  });

  test('a read names its columns, so that a column added later is no surprise', () => {
    expect(statements.filter((file) => file !== 'tidy.test.ts' && /\bSELECT \*/i.test(read(file)))).toEqual([]);
  });

  test('a schema file that takes away or tightens says so in its first line', () => {
    const taking = /\b(DROP (TABLE|COLUMN|SEQUENCE|VIEW)|RENAME|SET NOT NULL|ALTER COLUMN \S+ TYPE|MODIFY COLUMN)\b/i;
    const strict = /\bADD COLUMN (?![^;]*DEFAULT)[^;]*NOT NULL/i;
    // Of before there was a release to work beside.
    const older = ['reconcile/schema/010_rated_parts.postgres.sql'];
    const wrong = files
      .filter((file) => !older.includes(file) && /\/schema\/.*\.sql$/.test(file))
      .filter((file) => {
        const text = read(file);
        return (
          !text.startsWith('-- phase: contract\n') && [taking, strict].some((one) => one.test(withoutRemarks(text)))
        );
      });
    expect(wrong).toEqual([]);
  });

  test('every query file is used by its room', () => {
    const unused = files
      .filter((file) => /\/queries\/.*\.sql$/.test(file))
      .filter((file) => {
        const name = file.split('/').at(-1)?.replace('.sql', '') ?? '';
        return !sources.some((source) => room(source) === room(file) && read(source).includes(name));
      });
    expect(unused).toEqual([]);
  });
});

describe('documents', () => {
  const stages = ['ingest', 'aggregate', 'reconcile', 'watch'];

  test.each(stages)('%s/README.md says in at most 25 lines what it reads, writes, promises and survives', (stage) => {
    const text = read(`${stage}/README.md`);
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(25);
    for (const heading of ['## Reads', '## Writes', '## Promises', '## When it dies']) expect(text).toContain(heading);
  });

  test('the lock file holds no registry addresses', () => {
    expect(read('package-lock.json')).not.toContain('"resolved": "http');
  });
});
