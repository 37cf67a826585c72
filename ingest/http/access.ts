// Who is asking, and which accounts exist: read from Postgres through the accounts' doors, remembered for a few seconds.
// While Postgres is away, what was known stays known for five minutes: usage is worth more than a prompt revocation, and
// beyond that the door answers 503 rather than guess. Nothing here outlives the process.

import { hashKeyText, parseKeyText, type KeyEnv } from '../../accounts/api-key.ts';
import type { ApiKey, Principals } from '../../accounts/principals.ts';
import { TrueupError } from '../../domain/contracts/errors.ts';
import type { RequestCode } from '../../domain/contracts/intake.ts';
import type { Permission } from './admit.ts';

export type Access = { readonly key: ApiKey; readonly permission: Permission };
export type Denied = { readonly denied: Extract<RequestCode, `KEY_${string}`>; readonly message: string };

export type Directory = {
  /** Throws `unavailable` when Postgres is away and the key is not remembered. */
  authenticate(authorization: string | undefined): Promise<Access | Denied>;
  /** Since when each account is registered (epoch ms); unregistered ones are missing. */
  fetchRegistered(accounts: ReadonlySet<string>): Promise<ReadonlyMap<string, number>>;
};

export type DirectoryOptions = {
  readonly principals: Pick<Principals, 'fetchKeyByHash' | 'fetchRegistered'>;
  readonly keyEnv: KeyEnv;
  /** Machine time: expiry of keys and age of what is remembered. */
  readonly now: () => number;
};

/** A revoked key stops working after this long at the latest, while Postgres answers. */
const FRESH_MS = 10_000;
const STALE_MS = 5 * 60_000;
const REMEMBERED_MAX = 100_000;

export function createDirectory({ principals, keyEnv, now }: DirectoryOptions): Directory {
  const keys = new Memory<Access | undefined>(now);
  const accounts = new Memory<number>(now);
  return {
    authenticate: async (authorization) => {
      const text = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
      if (text === undefined) return { denied: 'KEY_MISSING', message: 'the request carries no API key' };
      const env = parseKeyText(text);
      if (env === undefined) return { denied: 'KEY_INVALID', message: 'the API key is incomplete or mistyped' };
      if (env !== keyEnv) return { denied: 'KEY_INVALID', message: `a ${env} key does not open a ${keyEnv} door` };
      const hash = hashKeyText(text);
      const access = await keys.recall(hash.toString('base64'), async () => {
        const key = await principals.fetchKeyByHash(hash);
        return key === undefined ? undefined : { key, permission: permissionOf(key) };
      });
      return access === undefined
        ? { denied: 'KEY_INVALID', message: 'the API key is not known' }
        : (checkValidity(access.key, now()) ?? access);
    },
    fetchRegistered: async (wanted) => {
      const missing = [...wanted].filter((account) => !accounts.isFresh(account));
      if (missing.length > 0) {
        try {
          // Only what exists is remembered: an account registered now is known to the next request.
          for (const [account, sinceMs] of await principals.fetchRegistered(missing)) accounts.set(account, sinceMs);
        } catch (error) {
          if (!isUnavailable(error) || missing.some((account) => !accounts.isUsable(account))) throw error;
        }
      }
      return new Map([...wanted].flatMap((account) => toEntry(account, accounts.get(account))));
    },
  };
}

function permissionOf({ source, accounts }: ApiKey): Permission {
  return { source, accounts: accounts === 'all' ? 'all' : new Set(accounts) };
}

function checkValidity(key: ApiKey, nowMs: number): Denied | undefined {
  if (key.revokedAtMs !== undefined) return { denied: 'KEY_EXPIRED', message: `the API key ${key.id} was revoked` };
  if (key.expiresAtMs === undefined || nowMs < key.expiresAtMs) return undefined;
  return { denied: 'KEY_EXPIRED', message: `the API key ${key.id} has expired` };
}

function toEntry(account: string, sinceMs: number | undefined): [string, number][] {
  return sinceMs === undefined ? [] : [[account, sinceMs]];
}

function isUnavailable(error: unknown): boolean {
  return error instanceof TrueupError && error.retryable;
}

class Memory<Value> {
  private readonly entries = new Map<string, { readonly value: Value; readonly atMs: number }>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  get(name: string): Value | undefined {
    return this.entries.get(name)?.value;
  }

  set(name: string, value: Value): void {
    // Emptied when full: what is asked for comes back by itself, and a flood of unknown keys costs no more than this.
    if (this.entries.size >= REMEMBERED_MAX) this.entries.clear();
    this.entries.set(name, { value, atMs: this.now() });
  }

  isFresh(name: string): boolean {
    return this.isYoungerThan(name, FRESH_MS);
  }

  isUsable(name: string): boolean {
    return this.isYoungerThan(name, STALE_MS);
  }

  async recall(name: string, fetch: () => Promise<Value>): Promise<Value> {
    const known = this.entries.get(name);
    if (known !== undefined && this.isFresh(name)) return known.value;
    try {
      const value = await fetch();
      this.set(name, value);
      return value;
    } catch (error) {
      if (known !== undefined && isUnavailable(error) && this.isUsable(name)) return known.value;
      throw error;
    }
  }

  private isYoungerThan(name: string, ageMs: number): boolean {
    const entry = this.entries.get(name);
    return entry !== undefined && this.now() - entry.atMs < ageMs;
  }
}
