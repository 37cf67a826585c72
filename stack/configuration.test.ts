// The files that must agree with the table of servers: compose.yaml, .env.example and the lock of downloads.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { composeVariable } from './docker.ts';
import { serverNames, servers } from './servers/table.ts';
import { versions } from './versions.ts';

const checkout = dirname(import.meta.dirname);
const read = (file: string): string => readFileSync(join(checkout, file), 'utf8');
const compose = read('compose.yaml');
const example = read('.env.example');
const exampleNames = [...example.matchAll(/^(\w+)=/gm)].map(([, name]) => name ?? '');

test('every server with a service in compose.yaml has an image with a version and a health check there', () => {
  for (const name of serverNames) {
    const { composeService } = servers[name];
    if (composeService === undefined) continue;
    const [, body = ''] = compose.split(new RegExp(`^  ${composeService}:$`, 'm'));
    const service = body.split(/^ {0,2}\S/m)[0] ?? '';
    expect(service).toMatch(/image: \S+:v?\d/);
    expect(service).toContain('healthcheck:');
  }
});

test('every port that compose.yaml publishes is one of a server, and .env.example knows it', () => {
  const known = serverNames.flatMap((name) => servers[name].ports.map((port) => composeVariable(name, port)));
  const used = [...compose.matchAll(/\$\{(TRUEUP_PORT_\w+):-\d+\}/g)].map(([, name]) => name ?? '');
  expect(used.length).toBeGreaterThan(0);
  for (const name of used) expect(known).toContain(name);
  expect(exampleNames.filter((name) => name.startsWith('TRUEUP_PORT_')).sort()).toEqual([...new Set(used)].sort());
});

test('.env.example holds every variable once, with a comment', () => {
  expect(new Set(exampleNames).size).toBe(exampleNames.length);
  for (const name of serverNames) {
    for (const variable of servers[name].variables) expect(exampleNames).toContain(variable);
  }
  const blocks = example.split(/^(?=#)/m);
  expect(blocks.filter((block) => /^\w+=/.test(block))).toEqual([]);
});

test('every download is pinned by SHA-256', () => {
  const sums = [
    ...Object.values(versions.kafka.jars),
    ...Object.values(versions.wheels).flatMap((wheel) => Object.values(wheel.sha256)),
  ];
  for (const sum of sums) expect(sum).toMatch(/^[0-9a-f]{64}$/);
  expect(Object.keys(versions.kafka.jars)).toContain(`kafka_2.13-${versions.kafka.version}.jar`);
  expect(read('stack/kafka/pom.xml')).toContain(`<version>${versions.kafka.version}</version>`);
});

test('no file of this room names a registry host', () => {
  const files = [
    'stack/enter.js',
    'stack/install-packages.js',
    'stack/wheels.ts',
    'stack/debian.ts',
    'stack/kafka/pom.xml',
    '.npmrc',
  ];
  for (const file of files)
    expect(read(file).replace('http://maven.apache.org/POM/4.0.0', '')).not.toMatch(/https?:\/\//);
});
