// Structured logs: one wide JSON line per unit of work (batch, job, activity), on stderr. Secrets are cut out by path.

import { pino, type Logger } from 'pino';

export type Log = Logger;

export function createLog(stage: string, level: string): Log {
  return pino(
    {
      level,
      base: { stage },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['*.key', '*.secret', '*.password', '*.authorization', 'headers.authorization'],
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
