// Every server the stack can start, by name.
import { alertmanager } from './alertmanager.ts';
import { clickhouse } from './clickhouse.ts';
import { kafka } from './kafka.ts';
import { postgres } from './postgres.ts';
import { prometheus } from './prometheus.ts';
import { redis } from './redis.ts';
import type { Server, ServerName } from './server.ts';
import { stripe } from './stripe.ts';
import { temporalTest } from './temporal-test.ts';
import { temporal } from './temporal.ts';

export const servers: Record<ServerName, Server> = {
  kafka,
  clickhouse,
  temporal,
  'temporal-test': temporalTest,
  postgres,
  redis,
  stripe,
  prometheus,
  alertmanager,
};

export const serverNames = Object.keys(servers) as ServerName[];

export function isServerName(text: string): text is ServerName {
  return Object.hasOwn(servers, text);
}
