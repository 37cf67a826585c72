// What Redis says of itself, for whoever judges an installation. INFO is open where CONFIG is not.

import { Redis } from 'ioredis';

export type RedisInspection = { fetchInfo(): Promise<ReadonlyMap<string, string>>; close(): void };

export function openRedisInspection(url: string): RedisInspection {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: 5_000, retryStrategy: () => null });
  // The question itself fails then, and says why.
  let refused: Error | undefined;
  redis.on('error', (error) => (refused = error));
  return {
    fetchInfo: async () => {
      try {
        return parseInfo(await redis.info());
      } catch (error) {
        throw refused ?? error;
      }
    },
    close: () => redis.disconnect(),
  };
}

export function parseInfo(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\r\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}
