// Work that waits is done together: while a few writes are in flight, what arrives queues up and goes out as one group.
// So blocks are big under load. What would make a small group waits a moment for its neighbours of the same fetch, and does
// not open a further lane: many small writes cost more than a few large ones. A key (a partition) is never in two groups at once,
// because its commits must come in order: an earlier block that fails must not lie below a later commit.
// After a failure nothing more is started; the caller is told once and everybody waiting is released.

export type LaneOptions<Item> = {
  readonly lanes: number;
  /** A group is closed when it holds this much. */
  readonly groupBytesMax: number;
  /** Less is a small group. */
  readonly smallBytes: number;
  readonly lingerMs: number;
  /** No room is announced while more than this is queued or in flight. */
  readonly heldBytesMax: number;
  readonly keyOf: (item: Item) => number;
  readonly bytesOf: (item: Item) => number;
  readonly write: (group: readonly Item[]) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
};

export class Lanes<Item> {
  private readonly options: LaneOptions<Item>;
  private queue: Item[] = [];
  private readonly busyKeys = new Set<number>();
  private running = 0;
  private heldBytes = 0;
  private failed = false;
  private lingering: NodeJS.Timeout | undefined;
  private waiters: (() => void)[] = [];

  constructor(options: LaneOptions<Item>) {
    this.options = options;
  }

  get hasRoom(): boolean {
    return this.failed || this.heldBytes < this.options.heldBytesMax;
  }

  get isIdle(): boolean {
    return this.failed || (this.running === 0 && this.queue.length === 0);
  }

  add(item: Item): void {
    if (this.failed) return;
    this.queue.push(item);
    this.heldBytes += this.options.bytesOf(item);
    // With nothing in flight, all that is held is queued.
    if (this.running > 0 || this.heldBytes >= this.options.smallBytes) this.startLanes();
    else this.lingering ??= setTimeout(() => this.startLanes(), this.options.lingerMs);
  }

  /** Resolves when a group has ended: look again at `hasRoom` or `isIdle`. */
  async changed(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  private startLanes(): void {
    clearTimeout(this.lingering);
    this.lingering = undefined;
    while (this.running < this.options.lanes && !this.failed) {
      const group = this.takeGroup(this.running === 0 ? 0 : this.options.smallBytes);
      if (group.length === 0) return;
      this.running += 1;
      void this.runGroup(group);
    }
  }

  private takeGroup(bytesMin: number): Item[] {
    const { keyOf, bytesOf, groupBytesMax } = this.options;
    const group: Item[] = [];
    const left: Item[] = [];
    let bytes = 0;
    for (const item of this.queue) {
      // What is left behind keeps its key's later items behind as well.
      const closed = this.busyKeys.has(keyOf(item)) || left.some((other) => keyOf(other) === keyOf(item));
      if (closed || (bytes > 0 && bytes + bytesOf(item) > groupBytesMax)) left.push(item);
      else {
        group.push(item);
        bytes += bytesOf(item);
      }
    }
    if (bytes < bytesMin) return [];
    this.queue = left;
    for (const item of group) this.busyKeys.add(keyOf(item));
    return group;
  }

  private async runGroup(group: readonly Item[]): Promise<void> {
    try {
      await this.options.write(group);
    } catch (error) {
      if (!this.failed) {
        this.failed = true;
        this.options.onFailure(error);
      }
    }
    this.running -= 1;
    for (const item of group) {
      this.busyKeys.delete(this.options.keyOf(item));
      this.heldBytes -= this.options.bytesOf(item);
    }
    this.startLanes();
    const waiters = this.waiters;
    this.waiters = [];
    for (const wake of waiters) wake();
  }
}
