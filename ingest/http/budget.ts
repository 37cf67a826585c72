// How many bytes of requests this process holds at most, from the first byte read until the broker has them. When the budget
// is spent, new work is refused at once instead of growing the heap until the process dies with everybody's requests.

export type Reservation = {
  /** False when the budget is spent; nothing is reserved then. */
  grow(bytes: number): boolean;
  release(): void;
};

export type Budget = { readonly reservedBytes: number; open(): Reservation };

export function createBudget(bytesMax: number): Budget {
  let reserved = 0;
  return {
    get reservedBytes() {
      return reserved;
    },
    open: () => {
      let own = 0;
      return {
        grow: (bytes) => {
          if (reserved + bytes > bytesMax) return false;
          reserved += bytes;
          own += bytes;
          return true;
        },
        release: () => {
          reserved -= own;
          own = 0;
        },
      };
    },
  };
}
