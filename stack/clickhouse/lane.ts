/**
 * A set of connections that serve one request each at a time, with a bounded queue before them.
 *
 * Promises: first come, first served; a full queue is refused at once (code 202) instead of growing; whoever gives up
 * while waiting leaves the queue. Dies with the process; nothing waits on disk.
 */
import type { Connection } from './engine.ts';
import { EngineError } from './errors.ts';

export interface LaneOptions {
  readonly name: string;
  readonly size: number;
  readonly queueLimit: number;
  readonly connect: () => Connection;
}

export class Lane {
  readonly #options: LaneOptions;
  readonly #idle: Connection[] = [];
  readonly #waiting = new Set<(connection: Connection) => void>();
  #open = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Runs `work` with a connection of its own. Throws EngineError 202 when the queue is full, 394 when given up. */
  async with<T>(signal: AbortSignal, work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#acquire(signal);
    try {
      return await work(connection);
    } finally {
      this.#release(connection);
    }
  }

  /** Runs `work` on a connection that is thrown away afterwards, for statements that leave traces on it. */
  async withDisposable<T>(signal: AbortSignal, work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.with(signal, async () => {
      const connection = this.#options.connect();
      try {
        return await work(connection);
      } finally {
        connection.close();
      }
    });
  }

  /** Only when nothing runs. */
  close(): void {
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  async #acquire(signal: AbortSignal): Promise<Connection> {
    if (signal.aborted) throw cancelled();
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const { name, size, queueLimit, connect } = this.#options;
    if (this.#open < size) {
      const connection = connect();
      this.#open += 1;
      return connection;
    }
    if (this.#waiting.size >= queueLimit) {
      const state = `${size} ${name} run and ${queueLimit} wait`;
      throw new EngineError(
        202,
        'TOO_MANY_SIMULTANEOUS_QUERIES',
        `Too many simultaneous queries: ${state}. Repeat later`,
      );
    }
    return this.#turn(signal);
  }

  async #turn(signal: AbortSignal): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const take = (connection: Connection): void => {
        signal.removeEventListener('abort', leave);
        resolve(connection);
      };
      const leave = (): void => {
        this.#waiting.delete(take);
        reject(cancelled());
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(take);
    });
  }

  #release(connection: Connection): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#idle.push(connection);
      return;
    }
    this.#waiting.delete(next);
    next(connection);
  }
}

function cancelled(): EngineError {
  return new EngineError(394, 'QUERY_WAS_CANCELLED', 'Query was cancelled: the client left before its turn');
}
