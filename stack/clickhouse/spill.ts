/**
 * Where bodies lie while the engine reads them as files: in memory if the machine has room there, as a server would keep
 * them, else in the data folder. On ext4 a file made and removed for each insert costs more than its bytes.
 *
 * When the process dies, what lies here is cleared at the next start on the same data folder.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, statfsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/** Several bodies of the largest size that is kept whole. */
const MEMORY_FREE_BYTES_MIN = 1024 ** 3;

export class Spill {
  readonly #folder: string;
  readonly #memory: string | undefined;

  /** Only for the owner of the data folder: it clears what is left from before. */
  constructor(dataFolder: string) {
    this.#folder = join(dataFolder, 'spill');
    const memory = memoryFolderOf(dataFolder);
    for (const folder of [this.#folder, memory]) rmSync(folder, { recursive: true, force: true });
    mkdirSync(this.#folder);
    this.#memory = hasRoom() ? memory : undefined;
    if (this.#memory !== undefined) mkdirSync(this.#memory);
  }

  /** Writes a whole body, or one of unknown length, to its end; resolves with its path. Leaves nothing when it fails. */
  async write(body: Buffer | AsyncIterable<Buffer>): Promise<string> {
    if (this.#memory !== undefined && Buffer.isBuffer(body)) {
      try {
        return await writeInto(this.#memory, body);
      } catch {
        // Full by now, as memory that is shared with others may be.
      }
    }
    return writeInto(this.#folder, body);
  }

  close(): void {
    if (this.#memory !== undefined) rmSync(this.#memory, { recursive: true, force: true });
  }
}

export function memoryFolderOf(dataFolder: string): string {
  return join(MEMORY, `trueup-clickhouse-${createHash('sha256').update(dataFolder).digest('hex').slice(0, 16)}`);
}

async function writeInto(folder: string, body: Buffer | AsyncIterable<Buffer>): Promise<string> {
  const path = join(folder, `${randomUUID()}.data`);
  try {
    await writeFile(path, body);
    return path;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= MEMORY_FREE_BYTES_MIN;
  } catch {
    return false;
  }
}
