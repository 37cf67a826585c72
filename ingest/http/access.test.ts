import { describe, expect, test } from 'vitest';
import { createKeyText, hashKeyText } from '../../accounts/api-key.ts';
import type { ApiKey } from '../../accounts/principals.ts';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { createDirectory } from './access.ts';

const text = createKeyText('test');
const MINUTE_MS = 60_000;

/** What Postgres would answer, and a clock; `away` makes it fail as a lost connection does. */
function createScene() {
  const scene = {
    nowMs: 0,
    away: false,
    questions: 0,
    key: {
      id: 'key-1',
      source: '/cell/1',
      start: '',
      accounts: ['acme'],
      eventsPerSecond: 1,
      createdAtMs: 0,
      expiresAtMs: undefined,
      revokedAtMs: undefined,
    } as ApiKey,
    registered: new Map([['acme', 5]]),
  };
  const ask = <Answer>(answer: Answer): Promise<Answer> => {
    scene.questions += 1;
    const error = new TrueupError({ kind: 'unavailable', code: 'POSTGRES_UNAVAILABLE', message: 'away' });
    return scene.away ? Promise.reject(error) : Promise.resolve(answer);
  };
  const directory = createDirectory({
    keyEnv: 'test',
    now: () => scene.nowMs,
    principals: {
      fetchKeyByHash: async (hash) => ask(hash.equals(hashKeyText(text)) ? scene.key : undefined),
      fetchRegistered: async (names) => ask(new Map([...scene.registered].filter(([name]) => names.includes(name)))),
    },
  });
  return { scene, directory, authenticate: async () => directory.authenticate(`Bearer ${text}`) };
}

describe('what the door remembers', () => {
  test('a revocation holds after ten seconds', async () => {
    const { scene, authenticate } = createScene();
    expect(await authenticate()).toMatchObject({ key: { id: 'key-1' } });
    scene.key = { ...scene.key, revokedAtMs: 1 };
    scene.nowMs = 9_999;
    expect(await authenticate()).toMatchObject({ key: { id: 'key-1' } });
    scene.nowMs = 10_000;
    expect(await authenticate()).toMatchObject({ denied: 'KEY_EXPIRED' });
  });

  test('an expiry holds to the millisecond, remembered or not', async () => {
    const { scene, authenticate } = createScene();
    scene.key = { ...scene.key, expiresAtMs: 1_000 };
    scene.nowMs = 999;
    expect(await authenticate()).toMatchObject({ key: { id: 'key-1' } });
    scene.nowMs = 1_000;
    expect(await authenticate()).toMatchObject({ denied: 'KEY_EXPIRED' });
  });

  test('while Postgres is away, what was known holds for five minutes, and then nothing does', async () => {
    const { scene, directory, authenticate } = createScene();
    await authenticate();
    await directory.fetchRegistered(new Set(['acme']));
    scene.away = true;
    scene.nowMs = 4 * MINUTE_MS;
    expect(await authenticate()).toMatchObject({ key: { id: 'key-1' } });
    expect(await directory.fetchRegistered(new Set(['acme']))).toEqual(new Map([['acme', 5]]));
    scene.nowMs = 5 * MINUTE_MS;
    await expect(authenticate()).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(directory.fetchRegistered(new Set(['acme']))).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('a failed question about an account is never the answer that it is unknown', async () => {
    const { scene, directory } = createScene();
    scene.away = true;
    await expect(directory.fetchRegistered(new Set(['acme']))).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('an account registered now is known to the next request', async () => {
    const { scene, directory } = createScene();
    expect(await directory.fetchRegistered(new Set(['new']))).toEqual(new Map());
    scene.registered.set('new', 7);
    expect(await directory.fetchRegistered(new Set(['new']))).toEqual(new Map([['new', 7]]));
  });

  test('a key that was never one of ours costs no question', async () => {
    const { scene, directory } = createScene();
    for (const wrong of [`${text}x`, text.replace('tu_test', 'tu_live'), 'password', createKeyText('live')]) {
      expect(await directory.authenticate(`Bearer ${wrong}`)).toMatchObject({ denied: 'KEY_INVALID' });
    }
    expect(scene.questions).toBe(0);
  });
});
